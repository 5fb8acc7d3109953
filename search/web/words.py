"""Figures and ids as people read them. Pure; used as filters in templates."""

from datetime import datetime

from indexer.domain import vocabulary

__all__ = [
    "FLAGS",
    "SIGNALS",
    "bytes_told",
    "count_told",
    "day",
    "kind_title",
    "moment",
    "source_title",
    "title_of",
    "value_title",
]

SIGNALS = {
    "text": "Words",
    "semantic": "Content of the picture",
    "style": "Style of the picture",
    "compatibility": "Fits your base",
    "rating": "Rating",
    "popularity": "Downloads",
    "freshness": "Recent",
    "quality": "Well described",
}
"""Signal of a score -> what it means to a person."""

FLAGS = {
    "mislabelled": "says one thing, tensors say another",
    "duplicate": "the same bytes lie in several places",
    "missing": "its file is gone or its disk is away",
    "local": "on this machine",
    "remote": "only at a hub",
    "gone": "its hub took it down, archived or deleted it",
    "favourite": "marked as favourite",
    "overridden": "a person decided about it",
    "unidentified": "its tensors match nothing known",
    "nonfunctional": "its weights cannot work: empty, untrained or broken",
    "adult": "rated adult",
    "real_person": "shows a real person",
    "minor": "flagged as showing a minor",
}
"""Value of ``is:`` -> what it means to a person."""


def bytes_told(size: int | None) -> str:
    """A size in decimal units, as hubs and file managers tell it: ``144 MB``."""
    if size is None:
        return "unknown"
    value, units = float(size), ["B", "KB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if value >= 100 or units[0] == "B" else f"{value:.1f} {units[0]}"


def count_told(count: int | None) -> str:
    """A count with thin groups: ``12 345``; short from 100,000 on: ``1.2M``."""
    if count is None:
        return "unknown"
    if count < 100_000:
        return f"{count:,}".replace(",", "\u202f")
    return f"{count / 1_000_000:.1f}M" if count >= 1_000_000 else f"{count // 1000}k"


def day(moment: str | None) -> str:
    """A stored moment as a day: ``30 June 2025``; what is no date is shown as it is."""
    if not moment:
        return ""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return moment[:10]
    return f"{at.day} {at:%B %Y}"


def moment(at: datetime) -> str:
    """A moment in this machine's time: ``30 June 2025, 03:00``."""
    here = at.astimezone()
    return f"{here.day} {here:%B %Y, %H:%M}"


def source_title(source: str) -> str:
    """Who makes a claim: ``Civitai``, ``a civitai.info file beside it``, ``its own header (kohya)``."""
    where, _, what = source.partition(":")
    match where:
        case "sidecar":
            return f"a {what} file beside it"
        case "header":
            return f"its own header ({what})"
        case "folder":
            return f"its folder {what}"
        case "huggingface":
            return "Hugging Face"
    return where.capitalize() + (f" ({what})" if what else "")


def kind_title(kind: str) -> str:
    """Title of a kind: ``LoRA and its kin``."""
    row = vocabulary.kinds().get(kind)
    return row.title if row else kind


def title_of(architecture: str | None) -> str:
    """Title of an architecture, or its id when the table does not know it."""
    if architecture is None:
        return "unknown"
    row = vocabulary.architectures().get(architecture)
    return row.title if row else architecture


def value_title(field: str, value: str) -> str:
    """A facet's value as people read it."""
    match field:
        case "type":
            return kind_title(value)
        case "arch":
            return title_of(value)
        case "family":
            row = vocabulary.families().get(value)
            return row.title if row else value
        case "adapter":
            algorithm = vocabulary.adapter_algorithms().get(value)
            return algorithm.title if algorithm else value
        case "base":
            label = vocabulary.base_label(value)
            return label.id if label else value
        case "has" | "is":
            return value.replace("_", " ")
    return value
