"""One model or version by its number or a hash; always by an index."""

from collections.abc import Iterable, Sequence

from indexer.catalog.published import published_models
from indexer.catalog.published_find import model_ids, owners, version_keys, versions_by_hash
from indexer.catalog.published_records import PublishedModel, PublishedVersion
from indexer.domain.fields import FIELDS
from indexer.domain.filters import AnyOf
from search.api.v1.naming import is_own, model_number, number_of, version_number
from search.service import Pinakes

__all__ = ["Release", "by_hashes", "model_named", "numbers", "releases", "version_named"]

Release = tuple[PublishedModel, PublishedVersion]
_MOST = 20
"""So many entries may claim one number: copies of a hub's record beside several files."""


def model_named(pinakes: Pinakes, text: str) -> PublishedModel | None:
    """The model of this number, the hub's or ours; None for any other text."""
    number = _number(text)
    if number is None:
        return None
    with pinakes.catalog.read() as session:
        ids = model_ids(session, [f"civitai:{number}"]).values() or _own(number)
        models = published_models(session, ids)
    found = [model for model in models.values() if model_number(model) == number]
    return found[0] if found and any(version.told for version in found[0].versions) else None


def version_named(pinakes: Pinakes, text: str) -> Release | None:
    """The version of this number with its model; None for any other text."""
    number = _number(text)
    if number is None:
        return None
    where = AnyOf(FIELDS["source"], (f"civitai:@{number}",))
    ids = pinakes.text.matching(where, _MOST) or _own(number)
    found = [both for both in releases(pinakes, ids) if version_number(both[1]) == number]
    return found[0] if found else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _own(number: int) -> Sequence[int]:
    id_ = is_own(number)
    return [] if id_ is None else [id_]


def by_hashes(pinakes: Pinakes, digests: Sequence[str]) -> dict[str, int]:
    """Ids of versions by the hash of a file, lower-case hex, in the order asked; misses are left out."""
    with pinakes.catalog.read() as session:
        found = versions_by_hash(session, digests)
        shown = owners(session, found.values())
    return {digest: found[digest] for digest in digests if found.get(digest) in shown}


def releases(pinakes: Pinakes, version_ids: Iterable[int]) -> list[Release]:
    """Versions with their models, each once, in the order asked."""
    wanted = list(dict.fromkeys(version_ids))
    with pinakes.catalog.read() as session:
        models = published_models(session, owners(session, wanted).values())
    known = {version.id: (model, version) for model in models.values() for version in model.versions}
    return [known[id_] for id_ in wanted if id_ in known]


def numbers(pinakes: Pinakes, version_ids: Iterable[int]) -> dict[int, int]:
    """The numbers of versions by their ids."""
    with pinakes.catalog.read() as session:
        keys = version_keys(session, set(version_ids))
    return {id_: number_of(key, id_) for id_, key in keys.items()}
