"""``pinakes override``: a person's word on what a file is. It wins everywhere and can be withdrawn."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.catalog import entries, overrides
from indexer.catalog.database import Catalog, opened_catalog
from indexer.catalog.facts import file_facts
from indexer.domain.categories import categories
from indexer.domain.records import Document
from indexer.domain.resolve import FileFacts
from indexer.domain.vocabulary import (
    architecture_path,
    architectures,
    base_label,
    families,
    kinds,
)
from indexer.errors import UsageError
from indexer.finding import find_meant
from indexer.indexes.text_open import open_text_index
from indexer.pipeline import writing
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.publish import publish_text

__all__ = ["OVERRIDABLE", "Decided", "change_overrides", "checked_values", "list_overrides", "read_overrides"]

OVERRIDABLE = ("architecture", "kind", "category", "family", "name")
"""What a person may decide, as options of the command spell it."""

_LONGEST_NAME = 300
_NEAR = 5
_NEAR_ENOUGH = 0.5


@dataclass(frozen=True, slots=True)
class Decided:
    """An entry after a decision. ``overrides`` stand now; ``history`` holds withdrawn ones too; ``found`` is
    what was measured of its main file, whatever anybody decided."""

    id: int
    name: str
    changed: int
    shown: Mapping[str, Any]
    found: Mapping[str, Any]
    overrides: Mapping[str, str]
    history: Sequence[Mapping[str, Any]]
    paths: Sequence[str]


def change_overrides(
    what: str,
    settings: Settings,
    progress: Progress,
    values: Mapping[str, str],
    withdraw: Iterable[str] = (),
) -> Decided:
    """Withdraw the decisions named in ``withdraw`` (``all``: every one), then decide ``values``.

    Search sees it when this returns. Raises ``UsageError`` for unknown models, names and values,
    ``CatalogError`` when another program is writing.
    """
    fresh = checked_values(values)
    taken_back = _withdrawn(withdraw)
    with writing(settings) as catalog:
        meant = find_meant(catalog, open_text_index(settings), what)
        with catalog.write() as session:
            changed = 0
            if taken_back:
                names = None if "all" in taken_back else taken_back
                changed += overrides.withdraw_overrides(session, meant.files, names)
            changed += overrides.set_overrides(session, meant.files, fresh)
            entries.refresh_entries(session, [meant.document.id], architecture_path)
        publish_text(catalog, settings, progress)
        return _decided(catalog, [meant.document.id], changed)[0]


def read_overrides(what: str, settings: Settings) -> Decided:
    """What is and was decided about a model. Raises ``UsageError`` as ``change_overrides`` does."""
    with opened_catalog(settings) as catalog:
        meant = find_meant(catalog, open_text_index(settings), what)
        return _decided(catalog, [meant.document.id])[0]


def list_overrides(settings: Settings) -> Iterator[Decided]:
    """Every model that somebody decided about, by id."""
    with opened_catalog(settings) as catalog:
        after = 0
        while True:
            with catalog.read() as session:
                page = overrides.overridden_entries(session, after)
            if not page:
                return
            yield from _decided(catalog, page)
            after = page[-1]


def _decided(catalog: Catalog, entry_ids: Sequence[int], changed: int = 0) -> list[Decided]:
    with catalog.read() as session:
        documents = entries.documents(session, entry_ids)
        files = file_facts(session, entry_ids)
        history = overrides.override_history(session, entry_ids)
    return [
        _told(documents[id_], files.get(id_, []), history.get(id_, []), changed)
        for id_ in entry_ids
        if id_ in documents
    ]


def _told(
    document: Document, files: Sequence[FileFacts], history: Sequence[Mapping[str, Any]], changed: int
) -> Decided:
    verdict = max(
        (file.verdict for file in files), key=lambda row: float(row.get("confidence") or 0.0), default={}
    )
    return Decided(
        id=document.id,
        name=document.name,
        changed=changed,
        shown={name: getattr(document, name) for name in OVERRIDABLE},
        found={name: verdict.get(name) for name in ("kind", "architecture", "family", "confidence")},
        overrides={row["name"]: row["value"] for row in history if row["withdrawn_at"] is None},
        history=history,
        paths=[path for file in files for path in file.paths],
    )


def checked_values(values: Mapping[str, str]) -> dict[str, str]:
    """Values as the catalog spells them. Raises ``UsageError`` (``override``) that names what comes near."""
    checked = {name: _CHECKS[name](value.strip()) for name, value in values.items()}
    family, architecture = checked.get("family"), checked.get("architecture")
    if family and architecture:
        home = families()[family].architecture
        if architecture_path(home)[0] != architecture_path(architecture)[0]:
            raise UsageError(
                "override", f"{family} is a family of {home}, not of {architecture}. Give one of the two."
            )
    return checked


def _withdrawn(names: Iterable[str]) -> set[str]:
    asked = {name.strip().lower() for name in names}
    for name in asked - {"all", *OVERRIDABLE}:
        raise UsageError(
            "override", f"There is no override {name!r}. Choose all or one of: {', '.join(OVERRIDABLE)}."
        )
    return asked


def _kind(value: str) -> str:
    return _one_of("kind", value, {key: row.title for key, row in kinds().items()})


def _category(value: str) -> str:
    return _one_of("category", value, dict.fromkeys(categories(), ""))


def _family(value: str) -> str:
    return _one_of("family", value, {key: row.title for key, row in families().items()})


def _architecture(value: str) -> str:
    label = base_label(value)
    if label is not None and label.architecture and value.lower() not in architectures():
        return label.architecture  # a hub's spelling, such as "Flux.1 D"
    return _one_of("architecture", value, {key: row.title for key, row in architectures().items()})


def _name(value: str) -> str:
    if not 0 < len(value) <= _LONGEST_NAME:
        raise UsageError(
            "override", f"A name has 1 to {_LONGEST_NAME} characters; this one has {len(value)}."
        )
    return value


_CHECKS = {
    "architecture": _architecture,
    "kind": _kind,
    "category": _category,
    "family": _family,
    "name": _name,
}


def _one_of(what: str, value: str, known: Mapping[str, str]) -> str:
    """The id that ``value`` spells, by itself or by its title."""
    spelled = {title.lower(): key for key, title in known.items() if title} | {
        key.lower(): key for key in known
    }
    folded = value.lower()
    for spelling in (folded, folded.replace(" ", "_"), folded.replace(" ", "-")):
        if spelling in spelled:
            return spelled[spelling]
    near = difflib.get_close_matches(folded, spelled, _NEAR, _NEAR_ENOUGH)
    advice = f"Did you mean {_or(dict.fromkeys(spelled[name] for name in near))}?" if near else ""
    if not near or len(known) <= 30:
        advice += f" Known are: {', '.join(known)}."
    raise UsageError("override", f"No {what} is called {value!r}. {advice.strip()}")


def _or(ids: Iterable[str]) -> str:
    *others, last = ids
    return f"{', '.join(others)} or {last}" if others else last
