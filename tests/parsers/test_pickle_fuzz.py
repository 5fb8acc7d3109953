"""Thousands of broken pickles and archives: nothing escapes, no opcode is misread, nothing looks better by additions.

``PINAKES_FUZZ=full`` runs 200,000 pickles and 50,000 archives.
"""

import os
import pickletools
import random
from collections.abc import Callable

import pytest

from indexer.errors import BadFileError
from indexer.parsers.byte_sources import MemorySource
from indexer.parsers.pickle_findings import Budget, Findings
from indexer.parsers.pickle_stream import PickleStream
from tests.parsers.pickle_files import (
    EVIL,
    checkpoint,
    dictionary,
    legacy,
    named,
    number,
    ordered,
    parameter,
    proto,
    short,
    stacked,
    tensor,
    text,
)
from tests.parsers.test_pickled import DANGEROUS, HARMFUL, PLAIN, TENSORS, verdict

# Of the standard library's own reader of broken pickles, which is the oracle here.
pytestmark = pytest.mark.filterwarnings("ignore:invalid:DeprecationWarning")

FULL = os.environ.get("PINAKES_FUZZ") == "full"
PICKLES = 200_000 if FULL else 4_000
ARCHIVES = 50_000 if FULL else 1_000
SEEDS = 10

MODEL = dictionary({"state_dict": ordered({"a": tensor(), "b": parameter(tensor((4,), "HalfStorage", "1"))})})
STORED = {"0": bytes(24), "1": bytes(8)}
GOOD = (*PLAIN.values(), proto(MODEL), legacy(MODEL, {"0": (6, bytes(24)), "1": (4, bytes(8))}))
SNIPPETS = (
    *(bytes([code]) for code in range(256)),
    *(
        b"\x80\x02",
        b"\x80\x04",
        b"N0",
        b"(1",
        b"\x95\x05\0\0\0\0\0\0\0",
        b"h\0",
        b"q\0",
        b"X\x05\0\0\0",
        b"\x8c\x10",
    ),
    *(
        named("os", "system"),
        stacked("os", "system"),
        short("os"),
        text("system"),
        number(2**70),
        b"p0\n",
        b"g0\n",
    ),
)


def mutate(random_: random.Random, data: bytes) -> bytes:
    """A few bytes changed, cut out, put in or repeated."""
    changed = bytearray(data)
    for _ in range(random_.randint(1, 4)):
        place, end = random_.randrange(len(changed) + 1), random_.randrange(len(changed) + 1)
        match random_.randrange(5):
            case 0 if place < len(changed):
                changed[place] = random_.randrange(256)
            case 1:
                del changed[place : place + random_.randint(1, 8)]
            case 2:
                changed[place:place] = random_.choice(SNIPPETS)
            case 3:
                changed[place:place] = changed[min(place, end) : min(place, end) + 64]
            case _:
                changed[place : place + 4] = random_.randbytes(4)
    return bytes(changed)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_mutated_pickles(seed: int) -> None:
    random_ = random.Random(seed)
    for _ in range(PICKLES // SEEDS):
        verdict(mutate(random_, random_.choice((*GOOD, *HARMFUL.values()))))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_mutated_archives(seed: int) -> None:
    random_ = random.Random(seed)
    archives = [checkpoint(proto(MODEL), STORED), checkpoint(proto(EVIL), STORED, payload=proto(EVIL))]
    for _ in range(ARCHIVES // SEEDS):
        verdict(mutate(random_, random_.choice(archives)))


def boundaries(data: bytes) -> list[int]:
    """Where opcodes begin, by the standard library's own table."""
    places: list[int] = []
    try:
        places.extend(place or 0 for _, _, place in pickletools.genops(data))
    except ValueError:
        return places
    return places


NEUTRAL = (b"N0", b"(1", b"N20" + b"0", b"\x80\x02", b"](Ne0", b"Np99\n0")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_additions_never_make_a_file_look_better(seed: int) -> None:
    random_ = random.Random(seed)
    additions: list[Callable[[bytes], bytes]] = [
        lambda data: data + random_.randbytes(random_.randint(1, 64)),
        lambda data: data + random_.choice(GOOD),
        lambda data: random_.choice(GOOD) + data,
        lambda data: inserted(data, random_.choice(NEUTRAL), random_.choice(boundaries(data) or [0])),
        lambda data: inserted(data, random_.choice(SNIPPETS), random_.randrange(len(data) + 1)),
        lambda data: inserted(
            data, random_.randbytes(random_.randint(1, 9)), random_.randrange(len(data) + 1)
        ),
        lambda data: checkpoint(proto(MODEL), STORED, payload=data),
        lambda data: checkpoint(proto(MODEL), STORED) + data,
        lambda data: data + checkpoint(proto(MODEL), STORED),
    ]
    spelled = [data for data in HARMFUL.values() if b"os" in data and b"system" in data]
    for _ in range(PICKLES // SEEDS // 2):
        data = random_.choice(spelled)
        assert verdict(data) == DANGEROUS
        for _ in range(random_.randint(1, 2)):
            data = random_.choice(additions)(data)
        assert verdict(data) != TENSORS or not still_imports(data), data


def inserted(data: bytes, more: bytes, place: int) -> bytes:
    return data[:place] + more + data[place:]


def still_imports(data: bytes) -> bool:
    """Whether an insertion left the harmful import whole: not its name cut, nor its opcode swallowed by another."""
    if b"os\nsystem\n" in data:
        return True
    try:
        opcodes = [opcode.name for opcode, _, _ in pickletools.genops(data)]
    except ValueError:
        return False
    return "STACK_GLOBAL" in opcodes and short("os") in data and short("system") in data


@pytest.mark.parametrize("seed", range(SEEDS))
def test_opcodes_are_as_long_as_the_standard_library_says(seed: int) -> None:
    random_ = random.Random(seed)
    compared = 0
    for _ in range(PICKLES // SEEDS):
        data = mutate(random_, random_.choice(GOOD))
        try:
            *_, last = pickletools.genops(data)
            end = PickleStream(MemorySource(data), Findings(), Budget()).read(0).end
        except (ValueError, BadFileError):
            continue
        compared += 1
        assert end == (last[2] or 0) + 1, data
    assert compared > 10
