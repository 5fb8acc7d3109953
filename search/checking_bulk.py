"""Many addons against a few bases, from the catalog alone: a library in a minute, in bounded memory."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from indexer.catalog.database import Catalog
from indexer.catalog.entries import documents
from indexer.catalog.fits import FitRow, iterate_fits
from indexer.checking import Base, Side, check_sides
from indexer.domain.fit import FitProfile, FitVerdict, unpack
from search.checking_found import subject_of_row

__all__ = ["Fitted", "fit_all"]

_MOST_PROFILES = 256


class Fitted(NamedTuple):
    """A file, and its verdicts on the bases in their order."""

    row: FitRow
    verdicts: tuple[FitVerdict, ...]


def fit_all(
    catalog: Catalog, bases: Sequence[Base], kinds: Sequence[str], *, after: int = 0, until: int | None = None
) -> Iterator[Fitted]:
    """The verdicts on all files of these kinds whose id is above ``after`` and not above ``until``, by id.

    Files without a stored profile are left out. Several processes may each take a range of ids.
    """
    with catalog.read() as session:
        for batch in iterate_fits(session, kinds, after=after, until=until):
            shown = documents(session, [row.version_id for row in batch])
            for row in batch:
                document = shown.get(row.version_id)
                profile = _profile(row.data or b"") if document is not None else None
                if document is None or profile is None:
                    continue
                side = Side(subject_of_row(row, document), profile)
                yield Fitted(row, tuple(check_sides(side, base) for base in bases))


@lru_cache(maxsize=_MOST_PROFILES)
def _profile(data: bytes) -> FitProfile | None:
    """A profile that many files share is unpacked once; None for one of an older form."""
    try:
        return unpack(data)
    except ValueError:
        return None
