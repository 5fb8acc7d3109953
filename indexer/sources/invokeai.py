"""InvokeAI: its folder, and what its database says of each model. The database is only read.

The table is ``models``: since version 4 each row is a JSON ``config``, before that (``model_config``) columns
of the same names. The file may be of any version, locked by a running InvokeAI, or made by a stranger: it is
opened read-only and immutable, with limits of time, rows and bytes; whatever goes wrong is a sentence.
"""

import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import quote_from_bytes

import orjson

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.vocabulary import read_table
from indexer.sources.budgeted_yaml import YamlFault, load_yaml, read_small
from indexer.sources.library import Library, Promises, expanded

__all__ = ["SOURCE", "read_invokeai"]

SOURCE: Final = "invokeai:db"

_CONFIG = b"invokeai.yaml"
_DATABASE = b"invokeai.db"
_TABLES = ("models", "model_config")
_TEXTS = ("name", "type", "base", "path", "description", "source", "hash", "format", "prediction_type")
_SECONDS = 10.0
_MAX_ROWS = 200_000
_MAX_CELL = 1 << 20
_MAX_TOTAL = 256 << 20
_MAX_COPY = 1 << 30


def read_invokeai(directory: bytes, names: Collection[bytes]) -> Library | None:
    """The library of InvokeAI's root, or ``None`` where there is neither configuration nor database."""
    folders = {"models_dir": b"models", "db_dir": b"databases"}
    promises = Promises(os.path.join(directory, _CONFIG))
    if _CONFIG in names:
        try:
            _configure(folders, load_yaml(read_small(promises.folder + b"/" + _CONFIG)))
        except (OSError, YamlFault) as error:
            promises.problem(f"{error}; InvokeAI's own folders are assumed")
    elif not os.path.isfile(os.path.join(directory, folders["db_dir"], _DATABASE)):
        return None
    models = os.path.normpath(os.path.join(directory, folders["models_dir"]))
    if folders["models_dir"] != b"models":
        promises.add(directory, os.fsdecode(folders["models_dir"]), "")
    database = os.path.join(directory, folders["db_dir"], _DATABASE)
    claims: dict[bytes, ClaimSet] = {}
    problems = [*promises.problems]
    if os.path.isfile(database):
        try:
            claims = dict(_models(database, models))
        except (OSError, sqlite3.Error, _TooMuchError) as error:
            problems.append(
                f"{os.fsdecode(database)!r} cannot be read ({error}); InvokeAI's claims about its models are "
                "left out. Once it can be read, run the same command again."
            )
    return Library("invokeai", directory, promises.named, claims, tuple(problems))


def _configure(folders: dict[str, bytes], content: Mapping[str, Any]) -> None:
    """Version 4 keeps its settings at the top, version 3 under ``InvokeAI: Paths``."""
    older = content.get("InvokeAI")
    inner = older.get("Paths") if isinstance(older, dict) else None
    for place in (inner, content):
        for key in folders:
            value = place.get(key) if isinstance(place, dict) else None
            if isinstance(value, str) and value.strip() and "\0" not in value:
                folders[key] = expanded(value)


class _TooMuchError(ValueError):
    """The database holds more than any library."""


@contextmanager
def _opened(database: bytes) -> Iterator[sqlite3.Connection]:
    """A connection that writes nothing beside the file, not even the files that SQLite keeps itself.

    What a running InvokeAI has not yet moved from its log (``-wal``) into the file is read from a copy.
    """
    log = database + b"-wal"
    waiting = os.path.isfile(log) and os.path.getsize(log) > 0
    if not waiting or os.path.getsize(database) + os.path.getsize(log) > _MAX_COPY:
        with closing(_connect(database, "?mode=ro&immutable=1")) as opened:
            yield opened
        return
    with tempfile.TemporaryDirectory(prefix="pinakes-") as folder:
        copy = os.path.join(os.fsencode(folder), _DATABASE)
        shutil.copyfile(database, copy)
        shutil.copyfile(log, copy + b"-wal")
        with closing(_connect(copy)) as opened:
            yield opened


def _connect(file: bytes, options: str = "") -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote_from_bytes(file)}{options}", uri=True, timeout=0)
    deadline = time.monotonic() + _SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * _MAX_CELL)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    # trusted_schema stays on: InvokeAI's own columns are computed with json_extract, which some
    # releases of SQLite refuse otherwise. What a stranger's schema may do instead is to read and to compute.
    for pragma in ("query_only=ON", "cell_size_check=ON", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.set_authorizer(_allowed)
    return connection


def _allowed(action: int, first: str | None, *_others: object) -> int:
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION):
        return sqlite3.SQLITE_OK
    tells = action == sqlite3.SQLITE_PRAGMA and first == "table_xinfo"
    return sqlite3.SQLITE_OK if tells else sqlite3.SQLITE_DENY


def _models(database: bytes, models: bytes) -> Iterator[tuple[bytes, ClaimSet]]:
    with _opened(database) as connection:
        columns = _columns(connection)
        for record in _records(connection, *columns):
            path = record.get("path")
            if isinstance(path, str) and path and "\0" not in path:
                yield os.path.normpath(os.path.join(models, os.fsencode(path))), _said(record)


def _columns(connection: sqlite3.Connection) -> tuple[str, list[str]]:
    """The table of models and the columns to read. A view or a virtual table could run anything."""
    plain = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' LIMIT 1000"
    )
    tables = {name for (name,) in connection.execute(plain)}
    for table in _TABLES:
        if table in tables:
            there = {row[1] for row in connection.execute(f"PRAGMA table_xinfo({table})")}
            return table, [name for name in ("config", *_TEXTS) if name in there]
    raise _TooMuchError("it has no table of models: InvokeAI of another version?")


def _records(connection: sqlite3.Connection, table: str, columns: list[str]) -> Iterator[dict[str, Any]]:
    if not columns:
        raise _TooMuchError("its table of models has unknown columns: InvokeAI of another version?")
    cells = ", ".join(f"CASE WHEN length({name}) <= {_MAX_CELL} THEN {name} END" for name in columns)
    total = 0
    for count, row in enumerate(connection.execute(f"SELECT {cells} FROM {table}")):
        total += sum(len(cell) for cell in row if isinstance(cell, str))
        if count >= _MAX_ROWS or total > _MAX_TOTAL:
            raise _TooMuchError("it holds more than any library")
        record = {name: cell for name, cell in zip(columns, row, strict=True) if isinstance(cell, str)}
        yield record | _parsed(record.pop("config", ""))


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return {}  # one damaged row; its columns still speak
    return content if isinstance(content, dict) else {}


def _said(record: Mapping[str, Any]) -> ClaimSet:
    table = read_table("libraries.toml")["invokeai"]
    text = {name: value.strip() for name in _TEXTS if isinstance(value := record.get(name), str)}
    words = record.get("trigger_phrases")
    said: dict[str, Any] = {
        "name": text.get("name"),
        "kind": _kind(text),
        "architecture": table["bases"].get(text.get("base", "")),
        "description": text.get("description"),
        "prediction_type": {"v_prediction": "v"}.get(kind := text.get("prediction_type", ""), kind),
        "trigger_words": [word for word in words if isinstance(word, str)] if isinstance(words, list) else [],
        "url": text["source"] if text.get("source", "").startswith(("https://", "http://")) else None,
        "sha256": _sha256(text.get("hash", "")),
    }
    claims = tuple(Claim(name, value) for name, value in said.items() if value)
    return ClaimSet(SOURCE, claims, {name: value for name, value in record.items() if name != "cover_image"})


def _kind(text: Mapping[str, str]) -> str | None:
    """InvokeAI calls a bare denoiser a main model too: only the formats of whole checkpoints tell."""
    kind = read_table("libraries.toml")["invokeai"]["kinds"].get(text.get("type", ""))
    return None if kind is None else str(kind)


def _sha256(value: str) -> str | None:
    match = re.fullmatch("sha256:([0-9a-f]{64})", value.lower())
    return match[1] if match else None
