"""``pinakes comfyui-paths``: the library's folders as ComfyUI's ``extra_model_paths.yaml``.

A section a root, its categories with one folder a line; what loaders then show are the paths that
``pinakes show`` gives. Read back by ``indexer.sources.extra_paths``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from indexer.catalog.model_folders import ModelFolder, model_folders
from indexer.domain.comfyui import loader_path
from search.service import Pinakes

__all__ = ["ComfyPaths", "Section", "comfy_paths", "sections_of"]

_HEAD = """\
# Folders of models for ComfyUI, as pinakes comfyui-paths found them in its catalog.
# Lay it beside ComfyUI's main.py as extra_model_paths.yaml (or add its sections to the one there), or start
# ComfyUI with --extra-model-paths-config FILE. Restart ComfyUI afterwards.
"""
_EMPTY = "# No folder of models is indexed yet: pinakes index FOLDER\n"
_MEANT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff$]|\s$")
"""What a path in the file cannot hold: a line's end, a variable, a blank that readers strip, or bytes that
are no text."""


@dataclass(frozen=True, slots=True)
class Section:
    """A root: ``folders`` of each category, relative to ``root`` (``.``: itself) or absolute. ``told`` are
    categories that a folder's name or a tool told; the others follow from the kinds of files."""

    name: str
    root: str
    layout: str
    offline: bool
    folders: Mapping[str, Sequence[str]]
    told: frozenset[str]


@dataclass(frozen=True, slots=True)
class ComfyPaths:
    """The report. ``left_out`` are folders whose names the format cannot hold."""

    sections: Sequence[Section]
    left_out: Sequence[str] = ()

    def to_yaml(self) -> str:
        """The file."""
        parts = [_HEAD, *(f"# Left out, the format cannot name it: {path!a}\n" for path in self.left_out)]
        parts += [_section_text(section) for section in self.sections]
        return "\n".join(parts) if self.sections else _HEAD + _EMPTY

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON data."""
        rows = [
            {
                "name": section.name,
                "base_path": section.root,
                "layout": section.layout,
                "offline": section.offline,
                "categories": {name: list(folders) for name, folders in section.folders.items()},
            }
            for section in self.sections
        ]
        left_out = [path.encode("utf-8", "replace").decode() for path in self.left_out]
        return {"sections": rows, "left_out": left_out}


def comfy_paths(pinakes: Pinakes) -> ComfyPaths:
    """Where the library's models lie, in ComfyUI's words. Raises ``CatalogError``."""
    with pinakes.catalog.read() as session:
        return sections_of(model_folders(session))


def sections_of(found: Iterable[ModelFolder]) -> ComfyPaths:
    """Folders by root and category, each once."""
    roots: dict[str, dict[str, dict[str, bool]]] = {}
    heads: dict[str, ModelFolder] = {}
    left_out: dict[str, None] = {}
    for one in found:
        directory = one.directory.decode("utf-8", "surrogateescape")
        place = loader_path(one.root, one.layout, directory, "", one.kind)
        if place is None:
            continue
        if _MEANT.search(place.folder) or _MEANT.search(one.root):
            left_out[place.folder] = None
            continue
        heads.setdefault(one.root, one)
        folders = roots.setdefault(one.root, {}).setdefault(place.category, {})
        folders[_relative(place.folder, one.root)] = place.told
    names = _names(heads)
    sections = [
        Section(
            names[root],
            root,
            heads[root].layout,
            heads[root].offline,
            {category: sorted(folders) for category, folders in sorted(categories.items())},
            frozenset(category for category, folders in categories.items() if all(folders.values())),
        )
        for root, categories in roots.items()
    ]
    return ComfyPaths(sections, list(left_out))


def _relative(folder: str, root: str) -> str:
    """Below the root from there; else as it is. A name that begins with ``~`` would be a home folder."""
    if folder == root:
        return "."
    below = folder.removeprefix(root.rstrip("/") + "/")
    return below if below != folder and below == below.strip() and below[0] != "~" else folder


def _names(roots: Iterable[str]) -> dict[str, str]:
    """A name for each section: the folder's, made unique."""
    names: dict[str, str] = {}
    for root in roots:
        words = re.sub(r"[^A-Za-z0-9]+", "_", PurePosixPath(root).name).strip("_").lower() or "models"
        name = f"pinakes_{words}"
        taken = set(names.values())
        number = next(n for n in range(1, len(taken) + 2) if (name if n == 1 else f"{name}_{n}") not in taken)
        names[root] = name if number == 1 else f"{name}_{number}"
    return names


def _section_text(section: Section) -> str:
    lines = [f"# {section.layout.partition(':')[0]}{' (not there now)' if section.offline else ''}"]
    lines += [f"{section.name}:", f"    base_path: {_scalar(section.root)}"]
    for category, folders in section.folders.items():
        note = "" if category in section.told else "  # by what lies there: no folder's name says it"
        if len(folders) == 1 and not note:
            lines.append(f"    {category}: {_scalar(folders[0])}")
            continue
        lines.append(f"    {category}: |{note}")
        lines += [f"        {folder}" for folder in folders]
    return "\n".join(lines) + "\n"


def _scalar(text: str) -> str:
    """A path as YAML writes it: bare where that is safe, else quoted."""
    told: str = yaml.safe_dump(text, allow_unicode=True, width=1_000_000)
    return told.removesuffix("\n").removesuffix("\n...")
