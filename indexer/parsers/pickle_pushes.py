"""Steps of the abstract pickle machine that read a value from the pickle and push it."""

from collections.abc import Callable
from typing import Final

from indexer.errors import BadFileError
from indexer.parsers.pickle_findings import unreadable
from indexer.parsers.pickle_machine import Machine
from indexer.parsers.pickle_opcodes import counted, fixed, line, number, quoted, text, whole
from indexer.parsers.pickle_values import Opaque, Value

__all__ = [
    "Handler",
    "bytes_as_text",
    "constant",
    "extension",
    "float8",
    "float_line",
    "fresh",
    "int1",
    "int4",
    "int_line",
    "long_line",
    "long_number",
    "raw_bytes",
    "string_line",
    "unicode_line",
    "unsigned",
    "utf8",
]

_LONGEST_NUMBER: Final = 256  # bytes

Handler = Callable[[Machine, int], int]
"""Takes the machine and the position behind the opcode; returns the position of the next."""


def constant(value: Value) -> Handler:
    def push(m: Machine, p: int) -> int:
        m.stack.append(value)
        return p

    return push


def fresh(make: Callable[[], Value]) -> Handler:
    def push(m: Machine, p: int) -> int:
        m.stack.append(make())
        return p

    return push


def unsigned(size: int) -> Handler:
    def push(m: Machine, p: int) -> int:
        value, end = fixed(m.data, p, size)
        m.stack.append(value)
        return end

    return push


def utf8(size: int) -> Handler:
    def push(m: Machine, p: int) -> int:
        begin, end = counted(m.data, p, size)
        m.stack.append(text(m.data, begin, end))
        return end

    return push


def raw_bytes(size: int) -> Handler:
    def push(m: Machine, p: int) -> int:
        begin, end = counted(m.data, p, size)
        m.stack.append(m.data[begin:end] if end - begin <= _LONGEST_NUMBER else Opaque("bytes"))
        return end

    return push


def bytes_as_text(size: int) -> Handler:
    def push(m: Machine, p: int) -> int:
        begin, end = counted(m.data, p, size)
        try:
            m.stack.append(text(m.data, begin, end))
        except BadFileError:
            m.stack.append(m.data[begin:end])
        return end

    return push


def long_number(size: int) -> Handler:
    def push(m: Machine, p: int) -> int:
        begin, end = counted(m.data, p, size)
        short = end - begin <= _LONGEST_NUMBER
        value = int.from_bytes(m.data[begin:end], "little", signed=True) if short else Opaque("number")
        m.stack.append(value)
        return end

    return push


def extension(size: int) -> Handler:
    def push(m: Machine, p: int) -> int:
        code, end = fixed(m.data, p, size)
        m.findings.doubt(f"extension code {code}, whose meaning depends on the loading program")
        m.stack.append(Opaque("extension"))
        return end

    return push


def int1(m: Machine, p: int) -> int:
    m.stack.append(m.data[p])
    return p + 1


def int4(m: Machine, p: int) -> int:
    value, end = fixed(m.data, p, 4)
    m.stack.append(value - (1 << 32) if value >> 31 else value)
    return end


def int_line(m: Machine, p: int) -> int:
    digits, end = line(m.data, p)
    m.stack.append(digits == b"01" if digits in (b"00", b"01") else whole(digits))
    return end


def long_line(m: Machine, p: int) -> int:
    digits, end = line(m.data, p)
    m.stack.append(whole(digits.removesuffix(b"L")))
    return end


def float_line(m: Machine, p: int) -> int:
    digits, end = line(m.data, p)
    m.stack.append(number(digits))
    return end


def float8(m: Machine, p: int) -> int:
    end = fixed(m.data, p, 8)[1]
    m.stack.append(Opaque("float"))
    return end


def string_line(m: Machine, p: int) -> int:
    raw, end = line(m.data, p)
    m.stack.append(quoted(raw))
    return end


def unicode_line(m: Machine, p: int) -> int:
    raw, end = line(m.data, p)
    try:
        value = raw.decode("raw-unicode-escape") if len(raw) <= 16 * _LONGEST_NUMBER else Opaque("long text")
    except UnicodeDecodeError as error:
        raise unreadable("text") from error
    m.stack.append(value)
    return end
