"""What strangers' HTML may hold."""

__all__ = ["UNREADABLE_ELEMENTS"]

UNREADABLE_ELEMENTS = frozenset(
    ("script", "style", "title", "textarea", "noscript", "iframe", "svg", "math", "template")
)
"""Elements whose content is no text to read: it goes with them."""
