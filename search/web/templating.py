"""Templates into answers. Everything is escaped; a misspelt name is an error, not a blank."""

from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from indexer.domain.fields import FIELDS
from search.answers import hidden_reasons
from search.web import words
from search.web.clean import cleaned, plain, web_address

__all__ = ["page", "render"]

_ENVIRONMENT = Environment(
    loader=PackageLoader("search.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(
    bytes=words.bytes_told,
    count=words.count_told,
    day=words.day,
    moment=words.moment,
    source_title=words.source_title,
    kind_title=words.kind_title,
    title_of=words.title_of,
    value_title=words.value_title,
    cleaned=cleaned,
    plain=plain,
    web_address=web_address,
)
_ENVIRONMENT.globals.update(fields=FIELDS, flags_told=words.FLAGS, hidden_reasons=hidden_reasons)


def render(template: str, **values: Any) -> str:
    """A template's text."""
    return _ENVIRONMENT.get_template(template).render(values)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A template as an answer."""
    return HTMLResponse(render(template, **values), status)
