"""The tables that search is told by: what is known in general stands there, with a reason for each row."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["search_table"]


@cache
def search_table(name: str) -> Mapping[str, Any]:
    """One table, for instance ``plan.toml``, as plain data; read once, not to be changed."""
    return tomllib.loads((resources.files(__name__) / name).read_text(encoding="utf-8"))
