"""What a person at a terminal sees of the fields that a query may use."""

from collections.abc import Sequence

from indexer.console import Console
from indexer.domain.field_help import FieldHelp, field_help
from indexer.domain.fields import field_named
from indexer.errors import UsageError

__all__ = ["asked_fields", "show_fields"]


def asked_fields(name: str | None) -> Sequence[FieldHelp]:
    """Help on one field, or on all for None. Raises ``UsageError`` for a name that is no field's."""
    rows = field_help()
    if name is None:
        return rows
    field = field_named(name.removesuffix(":"))
    if field is None:
        known = ", ".join(row.name for row in rows)
        raise UsageError("field", f"There is no field {name[:60]!r}. Fields are: {known}.")
    return [row for row in rows if row.name == field.name]


def show_fields(console: Console, rows: Sequence[FieldHelp], *, values: bool = False) -> None:
    """A table of the fields; with ``values`` also what each is known to hold."""
    told = [[_names(row), row.help, row.takes, row.example] for row in rows]
    console.table("", ["field", "finds", "takes", "example"], told)
    for row in rows if values else ():
        if row.values:
            console.table("", ["value", ""], [[name, help_] for name, help_ in row.values.items()])


def _names(row: FieldHelp) -> str:
    return f"{row.name} ({', '.join(row.aliases)})" if row.aliases else row.name
