"""Which files of a Hub repository are models, and which of them are one model together.

A diffusers pipeline is one version whatever copies of its parts it holds; so are the weights of one component
in a folder, and the shards of one file. Every other checkpoint, adapter or quantised copy stands alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from indexer.domain.bundles import index_names, shard
from indexer.domain.vocabulary import read_table
from indexer.parsers.strict_json import has_surrogate, shorten
from indexer.parsers.table_claims import Warnings

__all__ = ["Group", "RepoFile", "file_kind", "group_files", "read_files"]

MAX_FILES: Final = 10_000
_LONGEST: Final = 1000
_INDEX: Final = "model_index.json"
_PLAIN: Final = ("diffusion_pytorch_model", "pytorch_model", "model", "flax_model")
_HEX = re.compile(r"[0-9a-f]{64}")
_BETWEEN = r"(?<![a-z0-9])(?:{})(?![a-z0-9])"


@dataclass(frozen=True, slots=True)
class RepoFile:
    """A file as the Hub lists it. ``size`` is in bytes, ``sha256`` lower-case hex where the Hub knows it."""

    path: str
    size: int | None = None
    sha256: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def container(self) -> str | None:
        """``SafeTensor``, ``GGUF`` or ``PickleTensor`` by the name's ending; None: no weights."""
        return next((kind for end, kind in _endings() if self.name.lower().endswith(end)), None)

    @property
    def precision(self) -> str | None:
        """The mark of precision in the name, as it is spelt there."""
        marks = _precisions().findall(self.name.lower())
        return max(marks, key=len) if marks else None


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are one model. ``key`` is a folder or a file, unique in its repository, ``.`` the whole of
    it; ``sort`` is ``pipeline``, ``component``, ``shards`` or ``file``. The first file stands for all; where
    it is a shard, ``index`` is the path of the file that tells all shards."""

    key: str
    sort: str
    files: tuple[RepoFile, ...]
    index: str | None = None


def read_files(entries: Any, warnings: Warnings) -> list[RepoFile]:
    """The entries of ``siblings`` or of a tree; odd names and entries are left out with a warning."""
    if not isinstance(entries, list):
        warnings.add("value_type", "siblings", f"{shorten(entries)} is not a list")
        return []
    if len(entries) > MAX_FILES:
        warnings.add("capped", "siblings", f"{len(entries):,} files; {MAX_FILES:,} are read")
    found: dict[str, RepoFile] = {}
    for entry in entries[:MAX_FILES]:
        path = (entry.get("rfilename") or entry.get("path")) if isinstance(entry, dict) else None
        if not isinstance(path, str) or not _is_plain(path):
            warnings.add("file_name", "siblings", f"{shorten(path)} is no name of a file; it is left out")
        elif entry.get("type") != "directory":
            found[path] = _file(path, entry)
    return list(found.values())


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    clean = path.isprintable() and "\\" not in path and not has_surrogate(path)
    return clean and len(path) <= _LONGEST and not any(part in ("", ".", "..") for part in parts)


def _file(path: str, entry: Mapping[str, Any]) -> RepoFile:
    stored = entry.get("lfs")
    lfs = stored if isinstance(stored, dict) else {}
    size = next((s for s in (lfs.get("size"), entry.get("size")) if type(s) is int and 0 <= s < 2**63), None)
    digest = str(lfs.get("sha256") or lfs.get("oid") or "").lower()
    detail = {key: entry[key] for key in ("blobId", "oid", "xetHash") if isinstance(entry.get(key), str)}
    return RepoFile(path, size, digest if _HEX.fullmatch(digest) else None, detail)


def group_files(files: Iterable[RepoFile]) -> list[Group]:
    """The models among the files, in the order of their names."""
    everything = sorted(files, key=lambda file: file.path)
    pipelines = {file.folder for file in everything if file.name == _INDEX}
    groups: dict[tuple[str, str], list[RepoFile]] = {}
    for file in everything:
        if file.container is not None and not _ignored().search(file.path):
            groups.setdefault(_place(file, pipelines), []).append(file)
    paths = {file.path for file in everything}
    return [_group(key, sort, members, paths) for (key, sort), members in sorted(groups.items())]


def _group(key: str, sort: str, members: Iterable[RepoFile], paths: set[str]) -> Group:
    files = tuple(sorted(members, key=_order))
    part = shard(files[0].name.encode())
    folder = files[0].path.removesuffix(files[0].name)
    names = [folder + name.decode() for name in index_names(part.weights)] if part else []
    return Group(key, sort, files, next((name for name in names if name in paths), None))


def _place(file: RepoFile, pipelines: set[str]) -> tuple[str, str]:
    """(key, sort) of the group that a file belongs to."""
    above, _, component = file.folder.rpartition("/")
    if component and above in pipelines:
        return above or ".", "pipeline"
    part = shard(file.name.encode())
    stem = part.weights.stem.decode() if part else file.name.rpartition(".")[0]
    if stem.partition(".")[0] in _PLAIN:
        return file.folder or ".", "component"
    if part:
        name = f"{stem}.{part.weights.suffix.decode()}"
        return (f"{file.folder}/{name}" if file.folder else name), "shards"
    return file.path, "file"


def _order(file: RepoFile) -> tuple[int, bool, int, str]:
    """The network that draws first, safetensors first, the plainest name first."""
    drawing: Sequence[str] = read_table("diffusers.toml")["denoisers"]["names"]
    component = file.folder.rpartition("/")[2]
    place = drawing.index(component) if component in drawing else len(drawing)
    return place, file.container != "SafeTensor", len(file.name.split(".")), file.path


def file_kind(path: str) -> str | None:
    """What the nearest telling folder, else the words of a file's name promise. A claim."""
    *folders, name = path.lower().split("/")
    for folder in reversed(folders):
        if folder in _folder_kinds():
            return _folder_kinds()[folder]
    return next((kind for kind, words in _name_kinds() if words.search(name)), None)


@cache
def _folder_kinds() -> Mapping[str, str]:
    rows = read_table("folders.toml")["folder"]
    return {name: row["kind"] for row in rows for name in row["names"]}


@cache
def _name_kinds() -> tuple[tuple[str, re.Pattern[str]], ...]:
    rows = read_table("huggingface.toml")["file_kinds"]
    return tuple(
        (row["kind"], re.compile(("^" if row.get("where") == "start" else "") + _words(row["words"])))
        for row in rows
    )


def _words(words: Iterable[str]) -> str:
    return _BETWEEN.format("|".join(sorted(map(re.escape, words), key=len, reverse=True)))


@cache
def _endings() -> tuple[tuple[str, str], ...]:
    return tuple(item for item in read_table("huggingface.toml")["weights"].items() if item[0] != "why")


@cache
def _precisions() -> re.Pattern[str]:
    return re.compile(_words(read_table("huggingface.toml")["precisions"]["names"]))


@cache
def _ignored() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row['pattern']})" for row in read_table("huggingface.toml")["ignored"]))
