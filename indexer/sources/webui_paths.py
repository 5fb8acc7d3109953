"""Folders that A1111, Forge, SD.Next, SwarmUI and Stability Matrix are told of, beside those they contain."""

import os
import re
import shlex
from collections.abc import Collection, Iterator
from typing import Any

import orjson

from indexer.domain.vocabulary import read_table
from indexer.sources.budgeted_yaml import YamlFault, read_small
from indexer.sources.library import Library, Promises

__all__ = ["read_stability_matrix", "read_swarmui", "read_webui"]

_ARGUMENTS = re.compile(r"^\s*(?:export\s+|set\s+)?\"?COMMANDLINE_ARGS=(.*)$", re.MULTILINE)
_STARTERS = (b"webui-user.sh", b"webui-user.bat")
_MAX_CONFIG = 4 << 20


def read_webui(directory: bytes, names: Collection[bytes]) -> Library | None:
    """Paths in ``config.json`` (SD.Next) and options in ``webui-user.*`` (A1111, Forge), or ``None``."""
    if b"models" not in names:
        return None
    files = [name for name in (b"config.json", *_STARTERS) if name in names]
    if not files:
        return None
    named: dict[bytes, str] = {}
    problems: list[str] = []
    for name in files:
        promises = Promises(os.path.join(directory, name))
        try:
            text = read_small(os.path.join(directory, name), _MAX_CONFIG)
            for path, category in _config(text) if name == b"config.json" else _options(text):
                if path.strip():
                    promises.add(directory, path, category)
        except (OSError, ValueError) as error:
            promises.problem(f"{error}; the folders it names are not read")
        named |= promises.named
        problems += promises.problems
    tool = "sdnext" if b"config.json" in files and named else "a1111"
    return Library(tool, directory, named, problems=tuple(problems)) if named or problems else None


def _config(text: str) -> Iterator[tuple[str, str]]:
    config = _object(text)
    for key, category in read_table("libraries.toml")["config"].items():
        value = config.get(key)
        if isinstance(value, str):
            yield value, category


def _options(text: str) -> Iterator[tuple[str, str]]:
    flags = read_table("libraries.toml")["flags"]
    for match in _ARGUMENTS.finditer(text):
        line = match[1].strip()
        words = _words(line[1:-1] if line[:1] == line[-1:] and line[:1] in "'\"" and line[1:] else line)
        for place, word in enumerate(words):
            option, _, value = word.partition("=")
            if option in flags:
                yield value or "".join(words[place + 1 : place + 2]), flags[option]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()  # an unpaired quote, as batch files allow


def read_swarmui(directory: bytes, names: Collection[bytes]) -> Library | None:
    """Roots and folder names in SwarmUI's ``Data/Settings.fds``, both lists with ``;``, or ``None``."""
    file = os.path.join(directory, b"Data", b"Settings.fds")
    if b"Data" not in names or not os.path.isfile(file):
        return None
    promises = Promises(file)
    try:
        settings = _settings(read_small(file))
    except (OSError, YamlFault) as error:
        promises.problem(f"{error}; the folders it names are not read")
        settings = {}
    for root in _listed(settings.get("ModelRoot", "")):
        promises.add(directory, root, "")
        base = os.path.normpath(os.path.join(directory, os.fsencode(root)))
        for key, usual in read_table("libraries.toml")["swarmui"].items():
            for folder in _listed(settings.get(key, "")):
                path = os.path.join(base, os.fsencode(folder))
                if b"\0" not in path and os.path.isdir(path):
                    promises.named.setdefault(os.path.normpath(path), usual[0])
    return Library("swarmui", directory, promises.named, problems=tuple(promises.problems))


def read_stability_matrix(directory: bytes, names: Collection[bytes]) -> Library | None:
    """The folder of models that Stability Matrix's ``Data/settings.json`` names instead of its own, or
    ``None``."""
    if b"settings.json" not in names or not {b"Packages", b"Models"} & {*names}:
        return None
    promises = Promises(os.path.join(directory, b"settings.json"))
    try:
        told = _object(read_small(os.path.join(directory, b"settings.json"), _MAX_CONFIG))
    except (OSError, ValueError) as error:
        promises.problem(f"{error}; the folders it names are not read")
        told = {}
    for key, category in read_table("libraries.toml")["stability-matrix"].items():
        if isinstance(path := told.get(key), str) and path.strip():
            promises.add(directory, path, category)
    if not promises.named and not promises.problems:
        return None
    return Library("stability-matrix", directory, promises.named, problems=tuple(promises.problems))


def _object(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text.removeprefix("\ufeff"))
    except orjson.JSONDecodeError:
        raise YamlFault("is no valid JSON") from None
    return value if isinstance(value, dict) else {}


def _settings(text: str) -> dict[str, str]:
    """Keys and values of all sections: ``Key: value`` a line, indented with tabs; ``\\s`` is a backslash."""
    rows = (line.strip().partition(":") for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {key.strip(): value.strip().replace("\\s", "\\") for key, colon, value in rows if colon}


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(";") if part.strip()][:100]
