"""Quality of an entry from what can be seen of it."""

from indexer.domain.records import Document

__all__ = ["quality"]


def quality(document: Document) -> float:
    """Share of four things that can be seen: agreeing label, preview, trigger words or no need, licence."""
    needs_trigger = document.kind in ("lora", "textual_inversion")
    marks = (
        "mislabelled" not in document.flags and document.kind != "unknown",
        "preview" in document.has,
        not needs_trigger or bool(document.trigger_words),
        document.licence is not None,
    )
    return sum(marks) / len(marks)
