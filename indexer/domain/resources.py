"""Which stored hash a hash in a picture's text may be, and which kinds a name may mean."""

import string

__all__ = ["hash_forms", "hash_keys", "may_be"]

_HEX = frozenset(string.hexdigits)
_WHOLE_MODELS = frozenset(("checkpoint", "diffusion_model"))
_AUTOV1, _AUTOV2, _AUTOV3, _WHOLE = 8, 10, 12, 64


def hash_keys(text: str | None) -> tuple[tuple[str, str], ...]:
    """(kind, value) pairs of ``domain.hubs.HASH_KINDS`` that a hash may be, the likeliest first.

    Tools print 8 digits (AutoV1), 10 (the beginning of the SHA-256), 12 (AutoV3, or for embeddings the
    beginning of the SHA-256) or all 64.

    >>> hash_keys("E6BB9EA85B")
    (('autov2', 'e6bb9ea85b'),)
    """
    value = (text or "").strip().lower().removeprefix("0x")
    if not _AUTOV1 <= len(value) <= _WHOLE or not set(value) <= _HEX:
        return ()
    if len(value) < _AUTOV2:
        return (("autov1", value),) if len(value) == _AUTOV1 else ()
    keys = [("sha256", value), ("blake3", value)] if len(value) == _WHOLE else []
    if len(value) >= _AUTOV3:
        keys.append(("autov3", value[:_AUTOV3]))
    return (*keys, ("autov2", value[:_AUTOV2]))


def hash_forms(kind: str, value: str) -> tuple[str, ...]:
    """How pictures may write a stored hash: the other way round of ``hash_keys``."""
    if kind == "crc32":  # eight digits that no tool writes into pictures; they would pass for AutoV1
        return ()
    if kind == "sha256":
        return value, value[:_AUTOV3], value[:_AUTOV2]
    return (value,)


def may_be(asked: str, found: str) -> bool:
    """Whether a model of kind ``found`` may be what a picture calls ``asked``.

    >>> may_be("checkpoint", "diffusion_model"), may_be("lora", "checkpoint")
    (True, False)
    """
    kinds = {asked, found}
    return len(kinds) == 1 or "unknown" in kinds or kinds <= _WHOLE_MODELS
