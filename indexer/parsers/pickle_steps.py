"""The steps of the abstract pickle machine: one small function an opcode, and the loop that runs them.

Each takes the machine and the position behind its opcode, and returns the position of the next.
"""

from typing import Final

from indexer.parsers.pickle_findings import Budget, unreadable
from indexer.parsers.pickle_machine import Machine
from indexer.parsers.pickle_opcodes import MAX_MEMO, ShortError, fixed, line, memo_index, whole
from indexer.parsers.pickle_pushes import (
    Handler,
    bytes_as_text,
    constant,
    extension,
    float8,
    float_line,
    fresh,
    int1,
    int4,
    int_line,
    long_line,
    long_number,
    raw_bytes,
    string_line,
    unicode_line,
    unsigned,
    utf8,
)
from indexer.parsers.pickle_values import Opaque, Value

__all__ = ["run"]

_BLOCK: Final = 4096  # opcodes between two looks at the clock
_HIGHEST_PROTOCOL: Final = 5
_MISSING: Final = Opaque("missing")


class _Stopped(Exception):
    pass


def run(machine: Machine, position: int, budget: Budget) -> int:
    """Follow the pickle at ``position`` of the machine's data; where the byte behind its STOP is.

    Raises BadFileError with a code ``unreadable:…``; ``ShortError`` when the data end too early.
    """
    table, data, steps = _TABLE, machine.data, 0
    try:
        while True:
            for steps in range(1, _BLOCK + 1):  # noqa: B007 - what was used of it is charged below
                machine.at = position
                position = table[data[position]](machine, position + 1)
                if position >= machine.end:
                    _reach_end(machine, position)
            budget.spend(_BLOCK)
    except _Stopped:
        budget.spend(steps)
        return machine.at + 1
    except IndexError as error:
        at = machine.at
        if at + 1 >= len(data) and (at >= len(data) or data[at] in _ONE_BYTE):
            raise ShortError("truncated", at + 2) from error
        raise unreadable("stack") from error


def _reach_end(machine: Machine, position: int) -> None:
    """The end of the frame or of the data is reached; past a frame's end is a fault."""
    if machine.end == len(machine.data):
        return
    if position > machine.end:
        raise unreadable("frame")
    machine.end = len(machine.data)


def _tuple_of(size: int) -> Handler:
    def push(m: Machine, p: int) -> int:
        stack = m.stack
        if len(stack) < size:
            raise unreadable("stack")
        stack[-size:] = (tuple(stack[-size:]),)
        return p

    return push


def _names(m: Machine, p: int) -> tuple[str, str, int]:
    module, middle = line(m.data, p)
    name, end = line(m.data, middle)
    try:
        return module.decode(), name.decode(), end
    except UnicodeDecodeError as error:
        raise unreadable("name") from error


def _global(m: Machine, p: int) -> int:
    module, name, end = _names(m, p)
    m.stack.append(m.lookup(module, name))
    return end


def _stack_global(m: Machine, p: int) -> int:
    name = m.stack.pop()
    m.stack[-1] = m.lookup(m.stack[-1], name)
    return p


def _inst(m: Machine, p: int) -> int:
    module, name, end = _names(m, p)
    maker = m.lookup(module, name)
    args = tuple(m.pop_mark())
    m.stack.append(m.call(maker, args))
    return end


def _obj(m: Machine, p: int) -> int:
    items = m.pop_mark()
    if not items:
        raise unreadable("stack")
    m.stack.append(m.call(items[0], tuple(items[1:])))
    return p


def _reduce(m: Machine, p: int) -> int:
    args = m.stack.pop()
    m.stack[-1] = m.call(m.stack[-1], args)
    return p


def _new_with_keywords(m: Machine, p: int) -> int:
    keywords, args = m.stack.pop(), m.stack.pop()
    if keywords:
        m.findings.doubt("a call with arguments by name")
    m.stack[-1] = m.call(m.stack[-1], args)
    return p


def _build(m: Machine, p: int) -> int:
    state = m.stack.pop()
    m.put_state(m.stack[-1], state)
    return p


def _append(m: Machine, p: int) -> int:
    item = m.stack.pop()
    m.extend(m.stack[-1], [item])
    return p


def _appends(m: Machine, p: int) -> int:
    items = m.pop_mark()
    m.extend(m.stack[-1], items)
    return p


def _set_item(m: Machine, p: int) -> int:
    value, key = m.stack.pop(), m.stack.pop()
    m.put_items(m.stack[-1], [key, value])
    return p


def _set_items(m: Machine, p: int) -> int:
    items = m.pop_mark()
    m.put_items(m.stack[-1], items)
    return p


def _add_items(m: Machine, p: int) -> int:
    m.pop_mark()
    if type(m.stack[-1]) is not Opaque:
        m.findings.doubt("items added to something that is no set")
    return p


def _tuple(m: Machine, p: int) -> int:
    items = m.pop_mark()
    m.stack.append(tuple(items))
    return p


def _list(m: Machine, p: int) -> int:
    items = m.pop_mark()
    m.stack.append(items)
    return p


def _dict(m: Machine, p: int) -> int:
    items = m.pop_mark()
    made: dict[Value, Value] = {}
    m.put_items(made, items)
    m.stack.append(made)
    return p


def _frozen_set(m: Machine, p: int) -> int:
    m.pop_mark()
    m.stack.append(Opaque("set"))
    return p


def _mark(m: Machine, p: int) -> int:
    m.meta.append(m.stack)
    m.stack = []
    return p


def _pop(m: Machine, p: int) -> int:
    if m.stack:
        m.stack.pop()
    else:
        m.pop_mark()
    return p


def _pop_mark(m: Machine, p: int) -> int:
    m.pop_mark()
    return p


def _duplicate(m: Machine, p: int) -> int:
    m.stack.append(m.stack[-1])
    return p


def _put1(m: Machine, p: int) -> int:
    m.memo[m.data[p]] = m.stack[-1]
    return p + 1


def _put4(m: Machine, p: int) -> int:
    # Inlined, as every tensor has several; a cut number ends behind the data, where the loop notices.
    index = int.from_bytes(m.data[p : p + 4], "little")
    m.memo[index if index <= MAX_MEMO else memo_index(index)] = m.stack[-1]
    return p + 4


def _put_line(m: Machine, p: int) -> int:
    digits, end = line(m.data, p)
    m.memo[memo_index(whole(digits))] = m.stack[-1]
    return end


def _memoize(m: Machine, p: int) -> int:
    m.memo[len(m.memo)] = m.stack[-1]
    return p


def _get(m: Machine, index: int) -> None:
    value = m.memo.get(index, _MISSING)
    if value is _MISSING:
        m.findings.doubt("a value taken from the memo that was never put there")
    m.stack.append(value)


def _get1(m: Machine, p: int) -> int:
    value = m.memo.get(m.data[p], _MISSING)
    if value is _MISSING:
        _get(m, m.data[p])
    else:
        m.stack.append(value)
    return p + 1


def _get4(m: Machine, p: int) -> int:
    value = m.memo.get(index := int.from_bytes(m.data[p : p + 4], "little"), _MISSING)
    if value is _MISSING:
        _get(m, index)
    else:
        m.stack.append(value)
    return p + 4


def _get_line(m: Machine, p: int) -> int:
    digits, end = line(m.data, p)
    _get(m, whole(digits))
    return end


def _persistent(m: Machine, p: int) -> int:
    m.stack[-1] = m.persistent(m.stack[-1])
    return p


def _persistent_line(m: Machine, p: int) -> int:
    end = line(m.data, p)[1]
    m.stack.append(m.persistent(None))
    return end


def _buffer(m: Machine, p: int) -> int:
    m.findings.doubt("a buffer that is handed over beside the file")
    m.stack.append(Opaque("buffer"))
    return p


def _read_only(m: Machine, p: int) -> int:
    m.stack[-1] = m.stack[-1]
    return p


def _protocol(m: Machine, p: int) -> int:
    version, end = fixed(m.data, p, 1)
    if version > _HIGHEST_PROTOCOL:
        raise unreadable("protocol", f"protocol {version}")
    return end


def _frame(m: Machine, p: int) -> int:
    size, begin = fixed(m.data, p, 8)
    if m.end != len(m.data):
        raise unreadable("frame", "a frame inside a frame")
    if begin + size > len(m.data):
        raise ShortError("frame", begin + size)
    m.end = begin + size
    return begin


def _stop(m: Machine, p: int) -> int:
    if m.end not in (p, len(m.data)):
        raise unreadable("frame", "the pickle ends before its frame")
    m.result = m.stack.pop()
    raise _Stopped


def _unknown(m: Machine, p: int) -> int:
    raise unreadable("opcode", f"byte 0x{m.data[p - 1]:02x} at {p - 1:,}")


_OPCODES: Final[dict[bytes, Handler]] = {
    b"(": _mark,
    b".": _stop,
    b"0": _pop,
    b"1": _pop_mark,
    b"2": _duplicate,
    b"F": float_line,
    b"G": float8,
    b"I": int_line,
    b"J": int4,
    b"K": int1,
    b"M": unsigned(2),
    b"L": long_line,
    b"\x8a": long_number(1),
    b"\x8b": long_number(4),
    b"N": constant(None),
    b"\x88": constant(True),
    b"\x89": constant(False),
    b")": constant(()),
    b"S": string_line,
    b"T": bytes_as_text(4),
    b"U": bytes_as_text(1),
    b"V": unicode_line,
    b"X": utf8(4),
    b"\x8c": utf8(1),
    b"\x8d": utf8(8),
    b"B": raw_bytes(4),
    b"C": raw_bytes(1),
    b"\x8e": raw_bytes(8),
    b"\x96": raw_bytes(8),
    b"]": fresh(list),
    b"}": fresh(dict),
    b"\x8f": constant(Opaque("set")),
    b"l": _list,
    b"t": _tuple,
    b"d": _dict,
    b"\x91": _frozen_set,
    b"\x85": _tuple_of(1),
    b"\x86": _tuple_of(2),
    b"\x87": _tuple_of(3),
    b"a": _append,
    b"e": _appends,
    b"s": _set_item,
    b"u": _set_items,
    b"\x90": _add_items,
    b"c": _global,
    b"\x93": _stack_global,
    b"i": _inst,
    b"o": _obj,
    b"b": _build,
    b"R": _reduce,
    b"\x81": _reduce,
    b"\x92": _new_with_keywords,
    b"q": _put1,
    b"r": _put4,
    b"p": _put_line,
    b"\x94": _memoize,
    b"h": _get1,
    b"j": _get4,
    b"g": _get_line,
    b"Q": _persistent,
    b"P": _persistent_line,
    b"\x97": _buffer,
    b"\x98": _read_only,
    b"\x82": extension(1),
    b"\x83": extension(2),
    b"\x84": extension(4),
    b"\x80": _protocol,
    b"\x95": _frame,
}
_TABLE: Final[tuple[Handler, ...]] = tuple(_OPCODES.get(bytes([code]), _unknown) for code in range(256))
_ONE_BYTE: Final = b"Kqh"
