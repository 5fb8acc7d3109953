"""Folders that other tools are told by environment variables, as the settings read them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from indexer.domain.vocabulary import read_table
from indexer.sources.libraries import Elsewhere
from indexer.sources.library import expanded

__all__ = ["environment_folders"]


def environment_folders(variables: Mapping[str, str]) -> Iterator[Elsewhere]:
    """The folders that are there, with what each holds; variables by name, as ``Settings.tool_folders``.

    One that names no folder is passed over: the tool that reads it may not be installed any more.
    """
    for name, row in read_table("libraries.toml")["environment"].items():
        if name not in variables:
            continue
        path = os.path.join(expanded(variables[name]), os.fsencode(row.get("below", "")))
        real = os.path.realpath(path) if b"\0" not in path else b""
        if os.path.isabs(path) and real != b"/" and os.path.isdir(real):
            yield Elsewhere(Path(os.fsdecode(real)), row["tool"], row.get("category", ""))
