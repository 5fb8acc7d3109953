"""Is what pasted prompts are compared with whole? Nothing is made or removed; every page is read once."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.domain.prompt_cut import KINDS, PLACES
from indexer.indexes.prompt_columns import NUMBERS
from indexer.indexes.prompt_cuts import CutWriter
from indexer.indexes.prompt_makers import NOTHING_COUNTED, POSTING, MakerState, makers_state

__all__ = ["PromptState", "look_at_prompts"]

_WIDTH = 2 * PLACES


@dataclass(frozen=True, slots=True)
class PromptState:
    """``faults`` are sentences, none where all is well. ``generation`` is empty where there is nothing, or
    only what other rules made; ``rows`` are entries."""

    generation: str
    seq: int
    rows: int = 0
    makers: MakerState = NOTHING_COUNTED
    faults: tuple[str, ...] = ()


def look_at_prompts(cuts: Path, makers: Path) -> PromptState:
    """The state of both files (``prompt_cuts``, ``prompt_makers``)."""
    generation, seq = CutWriter(cuts).state()
    if cuts.is_file() and not generation and (fault := _fault(cuts)):
        return PromptState("", 0, faults=(fault,))
    if not generation:
        return PromptState("", 0)
    faults = tuple(fault for path in (cuts, makers) if path.is_file() and (fault := _fault(path)))
    if faults:
        return PromptState(generation, seq, faults=faults)
    try:
        rows = _read_cuts(cuts)
        state = makers_state(makers)
        if state != NOTHING_COUNTED:
            _read_makers(makers)
    except (sqlite3.Error, ValueError) as error:
        return PromptState(generation, seq, faults=(f"It cannot be read: {error}.",))
    return PromptState(generation, seq, rows, state)


def _fault(path: Path) -> str:
    """What SQLite says of the file; empty where all is well."""
    try:
        with closing(_opened(path)) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    return "" if said == "ok" else f"{path} is damaged ({str(said).splitlines()[-1]})."


def _read_cuts(path: Path) -> int:
    """How many entries there are. Raises ``ValueError`` where one is cut short."""
    count = 0
    with closing(_opened(path)) as connection:
        for id_, numbers in connection.execute("SELECT id, CAST(numbers AS BLOB) FROM entry"):
            heads = numbers[:_WIDTH]
            if len(heads) != _WIDTH or len(numbers) != _WIDTH + 2 * int(np.frombuffer(heads, "<u2").sum()):
                raise ValueError(f"entry {id_} is cut short")
            count += 1
    return count


def _read_makers(path: Path) -> None:
    """Raises ``ValueError`` where a list is cut short, or is of creators that are not there."""
    with closing(_opened(path)) as connection:
        (counts,) = connection.execute("SELECT length(counts) FROM state").fetchone()
        (known,) = connection.execute("SELECT count(*) FROM maker").fetchone()
        if counts != 4 * len(KINDS) * NUMBERS:
            raise ValueError("counts of words are cut short")
        for word, many, makers in connection.execute("SELECT number, many, CAST(makers AS BLOB) FROM word"):
            listed = np.frombuffer(makers, POSTING)["maker"]
            if len(listed) != many or (many and int(listed.max()) >= known):
                raise ValueError(f"the creators of word {word} are not there")


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
