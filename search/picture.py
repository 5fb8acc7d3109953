"""A picture that was handed in: how it says it was made, and which of the models the library has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from indexer.catalog.preview_records import linked_models
from indexer.domain.generation import GenerationRecord
from indexer.parsers.image_file import parse_image
from search.service import Pinakes

__all__ = ["MadeWith", "made_with"]


@dataclass(frozen=True, slots=True)
class MadeWith:
    """A picture's record. ``models`` are those it names, as ``catalog.preview_records.linked_models`` tells
    them: with ``id`` where the catalog knows one, and ``here`` where a file of it lies in the library."""

    record: GenerationRecord
    models: Sequence[Mapping[str, Any]]

    @property
    def have(self) -> int:
        """How many of the models lie in the library."""
        return sum(model["here"] for model in self.models)

    def to_json(self) -> dict[str, Any]:
        """The contract's ``generation`` without ``raw``, its models linked; ``have`` of ``of`` are here."""
        told = self.record.told()
        told.pop("raw")
        return told | {
            "models": [dict(one) for one in self.models],
            "have": self.have,
            "of": len(self.models),
        }


def made_with(pinakes: Pinakes, image: bytes) -> MadeWith | None:
    """What a picture says of how it was made; None where it says nothing, or is no picture. No pixels are
    decoded but those that may hide a text."""
    with TemporaryDirectory(prefix="pinakes-") as folder:  # readers of images seek in files
        path = Path(folder) / "picture"
        path.write_bytes(image)
        record = parse_image(path).generation
    if record is None:
        return None
    with pinakes.catalog.read() as session:
        return MadeWith(record, linked_models(session, record.models))
