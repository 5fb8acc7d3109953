"""Pinakes' reading half: from a query to answers.

    query ─▶ retrieval ─▶ ranking ─▶ answers        similar · service ─▶ cli · api · web page

``query``      What did the user mean? Text in, words and a filter tree out; carets under mistakes.
``retrieval``  Which entries could be meant? Candidates from the text and vector indexes.
``ranking``    In what order, and why? Signals and weights; every score says why.
``similar``    What looks like this? Pictures against pictures, in two spaces.
``service``    One place that wires them; ``cli``, ``api`` and ``web`` only call it.
``library``    ``Pinakes``, the library as programs hold it; docs/python.md shows how.

    from search import Pinakes
    with Pinakes() as p:
        print(p.search("watercolour type:lora").hits[0].document.name)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from search.library import Pinakes

__all__ = ["Pinakes"]


def __getattr__(name: str) -> Any:
    """``Pinakes`` at its first use, so that importing the package stays light (PEP 562)."""
    if name != "Pinakes":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from search.library import Pinakes

    return Pinakes
