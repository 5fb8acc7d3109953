"""JSON answers."""

from typing import Any

import orjson
from fastapi.responses import Response

__all__ = ["Json"]


class Json(Response):
    """An answer as JSON; NaN becomes null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The content as UTF-8 bytes."""
        return orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)
