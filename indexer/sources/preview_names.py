"""In which order tools look for a model's preview beside it (``data/previews.toml``)."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from indexer.domain.vocabulary import read_table

__all__ = ["preview_order"]


@cache
def preview_order(tool: str) -> Mapping[bytes, int]:
    """Ending of a name after the model's stem -> its place in the tool's order; what only others look for
    follows."""
    table = read_table("previews.toml")
    endings = [*table.get(tool, table["default"])["order"], *table["default"]["order"]]
    return MappingProxyType({ending.encode(): place for place, ending in enumerate(dict.fromkeys(endings))})
