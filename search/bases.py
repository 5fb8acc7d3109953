"""The base that a user has, as typed: an architecture or a family, by id, title or a hub's label."""

from indexer.domain.spellings import meaning_of
from indexer.domain.vocabulary import architectures, base_labels, families
from indexer.errors import UsageError
from search.ranking import Wanted

__all__ = ["wanted_base"]


def wanted_base(text: str | None) -> Wanted | None:
    """What ``text`` means; None for nothing.

    Raises ``UsageError`` (``architecture``) for what nobody knows, naming what comes near.
    """
    if text is None or not text.strip():
        return None
    family = _family(text)
    if family is not None:
        return Wanted(families()[family].architecture, family)
    meaning = meaning_of("fits", text)
    if meaning is None or meaning.values[0] not in architectures():
        near = "" if meaning is None else f" {meaning.note}"
        raise UsageError(
            "architecture",
            f"No base is called {text!r}.{near} Name an architecture such as sdxl, or a family.",
        )
    return Wanted(meaning.values[0])


def _family(text: str) -> str | None:
    """The family that ``text`` names itself, or by a label that hubs give to models of one family."""
    if text.strip().lower() in architectures():
        return None
    label = base_labels().get(text.strip())
    if label is not None:
        return label.family
    meaning = meaning_of("family", text)
    return meaning.values[0] if meaning is not None and meaning.values[0] in families() else None
