"""Options that all verbs share."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Home", "Json"]

Json = Annotated[bool, typer.Option("--json", help="Pure JSON on standard output.")]
Home = Annotated[
    Path | None, typer.Option("--home", help="Where Pinakes keeps its catalog.", show_default=False)
]
