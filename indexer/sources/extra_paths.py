"""ComfyUI's ``extra_model_paths.yaml``: sections of categories, each with one folder a line.

Read as ``folder_paths.py`` and ``utils/extra_config.py`` of ComfyUI read it: ``base_path`` is relative to the
file, folders are relative to ``base_path``; ``is_default`` only orders them.
"""

import os
from collections.abc import Collection
from typing import Any

from indexer.sources.budgeted_yaml import YamlFault, load_yaml, read_small
from indexer.sources.library import Library, Promises, expanded

__all__ = ["read_comfyui"]

_FILES = (b"extra_model_paths.yaml", b"extra_model_paths.yml")
_BESIDE = frozenset((b"models", b"main.py", b"comfy", b"custom_nodes", b"folder_paths.py"))
_NO_MODELS = frozenset(("base_path", "is_default", "custom_nodes", "configs", "download_model_base"))


def read_comfyui(directory: bytes, names: Collection[bytes]) -> Library | None:
    """The library of a folder that holds a configuration and looks like ComfyUI's root, or ``None``."""
    file = next((name for name in _FILES if name in names), None)
    if file is None or _BESIDE.isdisjoint(names):
        return None
    promises = Promises(os.path.join(directory, file))
    try:
        for section in load_yaml(read_small(os.path.join(directory, file))).values():
            if isinstance(section, dict):
                _section(promises, section)
    except (OSError, YamlFault) as error:
        promises.problem(f"{error}; the folders it names are not read")
    return Library("comfyui", directory, promises.named, problems=tuple(promises.problems))


def _section(promises: Promises, section: dict[str, Any]) -> None:
    base = section.get("base_path")
    start = os.path.join(promises.folder, expanded(base)) if isinstance(base, str) else promises.folder
    for category, value in section.items():
        if str(category) in _NO_MODELS:
            continue
        for lines in value if isinstance(value, list) else [value]:
            for line in lines.splitlines() if isinstance(lines, str) else ():
                if line.strip():
                    promises.add(start, line, str(category))
