"""Verbs that take a query: ``ink -dragon`` leaves dragons out there too, as it does on the page."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand, TyperOption

__all__ = ["QueryCommand", "query_text"]

_LEFT_OUT = re.compile(r"-[^\d-]")


class QueryCommand(TyperCommand):
    """A verb whose ``-word`` belongs to its query, unless it is a short option with or without a number."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, list(self._read(args)))

    def _read(self, args: list[str]) -> Iterator[str]:
        """The arguments, with a blank before what is left out: no option begins so, and a query may."""
        options = [option for option in self.params if isinstance(option, TyperOption)]
        valued = {name for option in options if not option.is_flag for name in option.opts}
        short = {name for option in options for name in option.opts if not name.startswith("--")}
        before, plain = "", False
        for arg in args:
            plain = plain or arg == "--"
            is_option = arg in short or arg.rstrip("0123456789") in short
            is_word = _LEFT_OUT.match(arg) and not is_option
            yield f" {arg}" if is_word and not plain and before not in valued else arg
            before = arg


def query_text(words: Sequence[str] | None) -> str:
    """One query of the words that the shell parted, without the blanks that ``QueryCommand`` set."""
    return " ".join(word.strip() for word in words or ())
