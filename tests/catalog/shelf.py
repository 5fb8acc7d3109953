"""Hand-made findings for the catalog's tests."""

from indexer.catalog import changes, entries, library, roots
from indexer.catalog.database import Catalog
from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.found import FoundFile, FoundPath, Judged, Problem
from indexer.domain.records import Document
from indexer.domain.verdict import Verdict

PARSER = 1


def found(name: str = "a.safetensors", folder: str = "loras", size: int = 10, **more: object) -> FoundFile:
    values: dict[str, object] = {
        "path": f"/models/{folder}/{name}".encode(),
        "directory": folder.encode(),
        "name": name.encode(),
        "size": size,
        "mtime_ns": 1_700_000_000_000_000_000,
        "inode": f"1:{abs(hash((folder, name))) % 10**9}",
        "sidecars": (),
        "previews": (),
        "surroundings": "",
    }
    return FoundFile(**values | more)  # type: ignore[arg-type]


def said(source: str = "sidecar:civitai.info", **claims: object) -> ClaimSet:
    return ClaimSet(source, tuple(Claim(k, v) for k, v in claims.items()), dict(claims))


def judged(
    place: FoundFile | None = None, content: str = "c1", *claims: ClaimSet, **verdict: object
) -> Judged:
    known: dict[str, object] = {
        "kind": "lora",
        "architecture": "sdxl",
        "architecture_path": ("sdxl",),
        "confidence": 0.9,
    }
    return Judged(place or found(), content, "safetensors", Verdict(**known | verdict), claims)  # type: ignore[arg-type]


def picture(path: str, mtime_ns: int = 5) -> FoundPath:
    return FoundPath(path.encode(), 100, mtime_ns)


def tree(architecture: str) -> tuple[str, ...]:
    return (architecture,)


class Shelf:
    """A root in a catalog, with short words for storing and looking."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        with catalog.write() as session:
            self.root = roots.open_root(session, "/models", "comfyui")

    def store(self, *items: Judged | Problem) -> None:
        good = [item for item in items if isinstance(item, Judged)]
        bad = [item for item in items if isinstance(item, Problem)]
        with self.catalog.write() as session:
            first = library.store_judged(session, self.root, good, PARSER)
            second = library.store_problems(session, self.root, bad, PARSER)
            entries.refresh_entries(session, first.versions | second.versions, tree)

    def documents(self) -> list[Document]:
        with self.catalog.read() as session:
            changes = entries.changed_entries(session, 0)
        return sorted((d for _, _, d in changes if d is not None), key=lambda d: d.id)

    def only(self) -> Document:
        (document,) = self.documents()
        return document

    def last_change(self) -> int:
        with self.catalog.read() as session:
            return changes.last_number(session, "change")
