"""Where would ComfyUI find a file? Its category, and the path that a loader node shows (``comfyui.toml``).

A loader names a file by its path below a folder of its category, as ``extra_model_paths.yaml`` lists them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from indexer.domain.vocabulary import read_table

__all__ = ["LoaderPath", "category_named", "loader_path"]


@dataclass(frozen=True, slots=True)
class LoaderPath:
    """A file as ComfyUI's loaders name it: ``path`` is below ``folder``, an absolute folder of the category;
    both with ``/`` between names. ``told``: a folder's name or a tool told the category, not the kind of the
    file alone."""

    category: str
    folder: str
    path: str
    told: bool = True


@cache
def _kinds() -> dict[str, str]:
    """Kind -> category."""
    return {kind: name for kind, name in read_table("comfyui.toml")["kinds"].items() if kind != "why"}


@cache
def _named() -> dict[str, str]:
    """Folder names in lower case -> category."""
    kinds = _kinds()
    rows = read_table("folders.toml")["folder"]
    named = {name: kinds[row["kind"]] for row in rows for name in row["names"]}
    own = {
        name: category for name, category in read_table("comfyui.toml")["folders"].items() if name != "why"
    }
    return {category: category for category in (*kinds.values(), *own.values())} | named | own


def category_named(folder: str) -> str | None:
    """ComfyUI's category for a folder's name of any tool, None where the name tells nothing."""
    return _named().get(folder.lower())


def loader_path(
    root: str, layout: str, directory: str, name: str, kind: str | None = None
) -> LoaderPath | None:
    """How ComfyUI names the file ``name`` in ``directory`` (relative, empty: the root itself) of ``root``.

    ``layout`` is the root's, as the catalog keeps it: ``comfyui:loras`` where a tool told what the whole root
    holds. The outermost folder with a telling name is the category's, as in ``models/loras/clip/a.pt``. Where
    no folder tells, the root itself is, for the ``kind`` of the file. None when that tells nothing either.
    """
    root = root.rstrip("/")
    above, below = root.split("/"), [part for part in directory.split("/") if part]
    told = category_named(layout.partition(":")[2])
    start = len(above) if told is not None else _start_of_category(above, below)
    if start is not None:
        parts = [*above, *below]
        category = told or category_named(parts[start - 1]) or ""
        return LoaderPath(category, "/".join(parts[:start]) or "/", "/".join((*parts[start:], name)))
    by_kind = _kinds().get(kind or "")
    if by_kind is None:
        return None
    return LoaderPath(by_kind, root or "/", "/".join((*below, name)), told=False)


def _start_of_category(above: Sequence[str], below: Sequence[str]) -> int | None:
    """How many names lead to the folder of a category: the root, one above it in a ``models``, or the
    outermost one below it."""
    if category_named(above[-1]) is not None:
        return len(above)
    for place in range(len(above) - 1, 1, -1):
        if above[place - 2].lower() == "models" and category_named(above[place - 1]) is not None:
            return place
    for place, part in enumerate(below, len(above) + 1):
        if category_named(part) is not None:
            return place
    return None
