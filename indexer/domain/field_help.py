"""What the table of fields says to people: one row of help a field, for the command, the page and the API."""

from collections.abc import Mapping
from dataclasses import dataclass

from indexer.domain.fields import FIELDS, Field, FieldType
from indexer.domain.spellings import known_values

__all__ = ["FieldHelp", "field_help", "operators"]

_OPERATORS: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.TEXT: (":",),
    FieldType.KEYWORD: (":", ","),
    FieldType.TREE: (":", ","),
    FieldType.FLAG: (":", ","),
    FieldType.NUMBER: (":", ",", ":>", ":>=", ":<", ":<=", ".."),
    FieldType.SIZE: (":", ",", ":>", ":>=", ":<", ":<=", ".."),
    FieldType.DATE: (":", ",", ":>", ":>=", ":<", ":<=", ".."),
}

_TAKES: Mapping[FieldType, str] = {
    FieldType.TEXT: 'a word, or "words side by side"',
    FieldType.KEYWORD: "a name; name,name means either",
    FieldType.TREE: "a name; finds all below it too",
    FieldType.FLAG: "a word of the list",
    FieldType.NUMBER: "a number: 16, >8, <=32, 8..32",
    FieldType.SIZE: "a size: <200MB, >=1.5GB, 1GB..2GB; 2.1GB means about",
    FieldType.DATE: "a date: 2025, >2025-06, 2024..2025-06; or an age: <30d is younger, >2w older",
}


@dataclass(frozen=True, slots=True)
class FieldHelp:
    """One field: ``takes`` says what may follow it, ``operators`` the same as signs, ``values`` the values it
    is known to have (of a FLAG all there are), each with a line of help or an empty one."""

    name: str
    type: str
    title: str
    help: str
    example: str
    aliases: tuple[str, ...]
    takes: str
    operators: tuple[str, ...]
    values: Mapping[str, str]


def operators(field: Field) -> tuple[str, ...]:
    """The signs that a field understands: ``,`` lists values, ``..`` spans a range."""
    return _OPERATORS[field.type]


def field_help() -> tuple[FieldHelp, ...]:
    """Help on all fields, in the order of the table."""
    return tuple(_row(field) for field in FIELDS.values())


def _row(field: Field) -> FieldHelp:
    values = {choice.name: choice.help for choice in field.choices}
    return FieldHelp(
        name=field.name,
        type=field.type.value,
        title=field.title,
        help=field.help,
        example=field.example,
        aliases=field.aliases,
        takes=_TAKES[field.type],
        operators=operators(field),
        values=values or dict.fromkeys(known_values(field.name), ""),
    )
