"""The error family: every error names the thing, the fault and what to do.

``code`` is a short stable word for programs and for the quarantine table; ``str(error)`` is for people.
"""

__all__ = ["BadFileError", "CatalogError", "PinakesError", "TemporaryError", "UsageError"]


class PinakesError(Exception):
    """Base of all errors that Pinakes raises on purpose."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class UsageError(PinakesError):
    """The caller asked for something that cannot be done: wrong path, query or setting. Exit status 2."""


class BadFileError(PinakesError):
    """This file's content is at fault; it will be quarantined and not read again until it changes."""


class TemporaryError(PinakesError):
    """The world is at fault for now (still downloading, I/O error, locked); try the same thing later."""


class CatalogError(PinakesError):
    """The catalog cannot be opened or written: read-only home, full disk, newer schema, old SQLite."""
