"""What is said to be one thing and found to be another: claims against tensors, file by file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.catalog import entries
from indexer.catalog.database import Catalog
from indexer.catalog.facts import file_facts
from indexer.domain.mislabels import SETTLED, file_conflicts
from indexer.domain.resolve import FileFacts

__all__ = ["Mislabelled", "labels_at_fault"]

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Mislabelled:
    """A page of the report. ``total`` counts models that match, ``hidden`` those kept back by default;
    ``items`` come one a file as they are read, each ``{id, name, path, conflicts [{claim, source, found}],
    confidence, evidence [{rule, detail}]}``. To be read while the library is open, once."""

    total: int
    hidden: int
    offset: int
    items: Iterator[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """The page as plain JSON data."""
        return {
            "total": self.total,
            "hidden": self.hidden,
            "offset": self.offset,
            "items": list(self.items),
        }


def labels_at_fault(catalog: Catalog, entry_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The contradicted files of entries, in the entries' order; a fixed number of queries a page of 200."""
    for start in range(0, len(entry_ids), _PAGE):
        page = entry_ids[start : start + _PAGE]
        with catalog.read() as session:
            documents = entries.documents(session, page)
            files = file_facts(session, page)
        for id_ in page:
            for file in files.get(id_, ()) if id_ in documents else ():
                conflicts = file_conflicts(file.verdict, file.claims, file.container, file.paths, file.sha256)
                if conflicts and not SETTLED & file.overrides.keys():
                    yield _item(id_, documents[id_].name, file, conflicts)


def _item(id_: int, name: str, file: FileFacts, conflicts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "path": file.paths[0] if file.paths else "",
        "conflicts": [{key: row[key] for key in ("claim", "source", "found")} for row in conflicts],
        "confidence": float(file.verdict.get("confidence") or 0.0),
        "evidence": list(file.verdict.get("evidence") or ()),
    }
