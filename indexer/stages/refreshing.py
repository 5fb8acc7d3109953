"""Asking Civitai about what we know: files of ours by their hashes, known models by their ids.

Each hundred models are stored in one transaction. Nothing is marked gone on the word of a hub that is ill: a
model that is missing is asked for by itself, and the hub must show another model afterwards.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from indexer.catalog import crawls, entries, hubs, identify
from indexer.catalog.database import Catalog, Session
from indexer.domain.hubs import HubModel, Refused
from indexer.domain.vocabulary import architecture_path
from indexer.parsers.civitai import parse_item
from indexer.progress import Progress
from indexer.sources.civitai import PAGE_SIZE, Civitai, Heard
from indexer.sources.http_errors import HubError, HubUnavailable
from indexer.stages.crawling import CrawlReport, note_end
from indexer.stages.importing import store_page

__all__ = ["identify_files", "refresh_models", "take_models"]

_SOURCE = "civitai"
_FILES = 10_000
_QUESTION = {"refresh": "models"}


def identify_files(catalog: Catalog, hub: Civitai, progress: Progress, report: CrawlReport) -> int:
    """Ask for every hashed file of ours that is in no version of a hub, by SHA-256; answers how many were
    asked for. Models that turn up are stored whole, once each, and the files linked to their versions.

    Raises ``HubError``; what was stored before stays, and the rest is asked for again next time.
    """
    last, asked, taken = 0, 0, set[int]()
    while True:
        with catalog.write() as session:
            files = identify.unlinked_files(session, last, _FILES)
        if not files:
            return asked
        last, asked = max(files), asked + len(files)
        with progress.stage("Asking for files by hash", "files", len(files)) as stage:
            known = hub.version_ids(files.values())
            hits = sorted(set(files.values()) if known is None else set(files.values()) & known.keys())
            for piece in _pieces(hits, PAGE_SIZE):
                _identify(catalog, hub, piece, known or {}, taken, report)
            stage.advance(len(files))


def _identify(
    catalog: Catalog,
    hub: Civitai,
    hashes: Sequence[str],
    known: Mapping[str, int],
    taken: set[int],
    report: CrawlReport,
) -> None:
    versions = [found for found in hub.by_hashes(hashes) if isinstance(found, dict)]
    by_model = {number: found for found in versions if (number := _model_number(found)) is not None}
    lent: dict[int, list[str]] = {}
    for value in hashes:
        if value in known:
            lent.setdefault(known[value], []).append(value)
    wanted = sorted(by_model.keys() - taken)
    for some in _pieces(wanted, PAGE_SIZE):
        items = {_number(item): item for item in hub.models_by_id(some).items}
        for number in some:
            item = items.get(number) or hub.model(number) or _item_of_version(by_model[number])
            items[number] = _with_hashes(item, lent)
        with catalog.write() as session:
            store_page(session, [parse_item(item) for item in items.values()], report.taken)
    taken.update(wanted)


def _model_number(version: Mapping[str, Any]) -> int | None:
    number = version.get("modelId")
    return number if type(number) is int and number > 0 else None


def _number(item: Any) -> int | None:
    number = item.get("id") if isinstance(item, dict) else None
    return number if type(number) is int else None


def _item_of_version(version: Mapping[str, Any]) -> dict[str, Any]:
    """What a version's answer says of its model, for models that are not shown themselves."""
    model = version.get("model")
    told = dict(model) if isinstance(model, dict) else {}
    own = {key: value for key, value in version.items() if key != "model"}
    return {**told, "id": version["modelId"], "modelVersions": [own]}


def _with_hashes(item: Any, lent: Mapping[int, Sequence[str]]) -> Any:
    """Some versions come without hashes though the hub finds them by hash: then its finding counts."""
    versions = item.get("modelVersions")
    for version in versions if isinstance(versions, list) else ():
        if not isinstance(version, dict) or not isinstance(files := version.get("files"), list):
            continue
        bare = [file for file in files if isinstance(file, dict) and not file.get("hashes")]
        bare.sort(key=lambda file: file.get("primary") is not True)
        for file, value in zip(bare, lent.get(version.get("id") or 0, ()), strict=False):
            file["hashes"] = {"SHA256": value}
    return item


def refresh_models(
    catalog: Catalog, hub: Civitai, progress: Progress, report: CrawlReport, *, afresh: bool = False
) -> None:
    """Ask anew for every model known from this hub: statistics, new versions, what is gone. Goes on where it
    was stopped. A hub that fails is no error: ``report.state`` tells, and so does the catalog."""
    with catalog.write() as session:
        state = crawls.open_crawl(session, _SOURCE, hub.base_url, _QUESTION, afresh=afresh)
    report.resumed = state.pages > 0
    last = int(state.cursor or 0)
    try:
        with progress.stage(f"Refreshing {_SOURCE}", "models", None) as stage:
            while True:
                with catalog.read() as session:
                    rows = identify.known_models(session, _SOURCE, last, PAGE_SIZE)
                if not rows:
                    break
                last = rows[-1][0]
                shown = {int(key): gone for _, key, gone in rows if key.isdecimal() and key.isascii()}
                _refresh(catalog, hub, shown, report, (state.id, str(last)))
                stage.advance(len(rows))
    except HubError as error:
        note_end(catalog, state.id, report, error)
        return
    report.state = "done"
    with catalog.write() as session:
        crawls.finish_crawl(session, state.id)


def take_models(
    catalog: Catalog, hub: Civitai, numbers: Iterable[int], progress: Progress, report: CrawlReport
) -> None:
    """Ask for models by their ids; those that are not there are told in ``report.absent``.

    Raises ``HubError``; what was stored before stays.
    """
    wanted = list(dict.fromkeys(numbers))
    with progress.stage(f"Reading {_SOURCE}", "models", len(wanted)) as stage:
        for some in _pieces(wanted, PAGE_SIZE):
            _refresh(catalog, hub, dict.fromkeys(some, False), report, None)
            stage.advance(len(some))
    report.state = "done"


def _refresh(
    catalog: Catalog,
    hub: Civitai,
    wanted: Mapping[int, bool],
    report: CrawlReport,
    place: tuple[int, str] | None,
) -> None:
    """One hundred models (id -> already marked gone); ``place`` is the crawl and where it goes on."""
    numbers = sorted(wanted)
    heard = _ask(catalog, hub, numbers, conditional=place is not None) if numbers else _NOTHING
    parsed: list[HubModel | Refused] = [parse_item(item) for item in heard.items]
    absent: list[int] = []
    if heard.fresh:
        shown = {_number(item) for item in heard.items}
        alone, absent = _ask_alone(hub, [n for n in numbers if n not in shown and not wanted[n]])
        parsed += [parse_item(item) for item in alone]
    if absent and not hub.is_alive():
        raise _ill(hub)
    with catalog.write() as session:
        store_page(session, parsed, report.taken)
        report.gone += _mark(session, parsed, absent)
        if place is not None:
            crawls.move_crawl(session, *place, len(parsed), sum(isinstance(p, Refused) for p in parsed))
            if heard.etag or heard.last_modified:
                identify.keep_answer(session, hub.models_url(numbers), heard.etag, heard.last_modified)
    report.pages += 1
    report.unchanged += 0 if heard.fresh else len(numbers)
    report.absent += [f"{_SOURCE}:{number}" for number in absent]


_NOTHING = Heard([], None, None, False)


def _ask(catalog: Catalog, hub: Civitai, numbers: Sequence[int], *, conditional: bool) -> Heard:
    etag, changed = None, None
    if conditional:
        with catalog.read() as session:
            etag, changed = identify.validators(session, hub.models_url(numbers))
    return hub.models_by_id(numbers, etag=etag, last_modified=changed)


def _ask_alone(hub: Civitai, numbers: Sequence[int]) -> tuple[list[Any], list[int]]:
    """Models that a listing left out: those that are shown by themselves, and ids of those that are not."""
    told = {number: hub.model(number) for number in numbers}
    return [item for item in told.values() if item is not None], [
        n for n, item in told.items() if item is None
    ]


def _ill(hub: Civitai) -> HubUnavailable:
    return HubUnavailable(
        "nothing",
        f"{hub.base_url} shows no model at all; nothing was marked as gone. Try later.",
        hub.base_url.partition("://")[2],
    )


def _mark(session: Session, parsed: Sequence[HubModel | Refused], absent: Sequence[int]) -> int:
    """Mark what the hub does not show any more; answers how many models."""
    whole = [model for model in parsed if isinstance(model, HubModel) and model.versions and not model.gone]
    told = {model.key: [version.key for version in model.versions] for model in whole}
    touched = identify.mark_vanished(session, told)
    gone = identify.shown_before(session, [f"{_SOURCE}:{number}" for number in absent])
    touched |= hubs.mark_gone(session, gone, "deleted")
    entries.refresh_entries(session, touched, architecture_path)
    return len(gone)


def _pieces(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(values)
    while piece := list(islice(left, size)):
        yield piece
