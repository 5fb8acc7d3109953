"""Readers for the ``type`` column of ``training_metadata.toml``: text to value, or ``ValueError``."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from indexer.parsers.fields import (
    MAX_TEXT,
    MAX_WORDS,
    epoch_date,
    hex_digest,
    iso_date,
    natural,
    real,
    split_words,
)
from indexer.parsers.training_table import words

__all__ = ["READERS", "PlaceholderError", "thumbnail"]

_PAIR = re.compile(r"[(\[]?\s*([0-9]{1,6})(?:\.0)?\s*(?:[,xX×]\s*([0-9]{1,6})(?:\.0)?)?\s*[)\]]?")
_ABSOLUTE = re.compile(r"[A-Za-z]:[\\/]|[\\/~]|.*\\", re.DOTALL)
_DATA_URI = re.compile(r"data:(image/[a-z+]+);base64,", re.IGNORECASE)
_MAGIC: Final[Mapping[str, re.Pattern[bytes]]] = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
_PREDICTIONS: Final[Mapping[str, str]] = {
    "eps": "epsilon",
    "v_prediction": "v",
    "v-prediction": "v",
    "vpred": "v",
}


class PlaceholderError(ValueError):
    """A hash that says nothing about the file."""


def _text(text: str) -> str:
    return text.strip()[:MAX_TEXT]


def _flag(text: str) -> bool:
    value = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
    if value is None:
        raise ValueError("neither True nor False")
    return value


def _whole(text: str) -> int:
    return -natural(text[1:]) if text.startswith("-") else natural(text)


def _first_number(text: str) -> float:
    """``1e-05``, or the first of ``[1e-05, 5e-06]``; later encoders usually share it."""
    return real(text.strip("[]() ").split(",")[0])


def _number(text: str) -> float:
    value = real(text)
    if not -1e6 <= value <= 1e6:
        raise ValueError("out of range")
    return value


def _words(text: str) -> tuple[str, ...]:
    return tuple(split_words(text)[:MAX_WORDS])


def _file(text: str) -> str:
    """File name of an absolute path, which would tell a stranger's folders; a repository name stays whole."""
    name = text.strip()[:4096]
    return re.split(r"[\\/]", name.rstrip("\\/"))[-1] if _ABSOLUTE.match(name) else name


def _callable(text: str) -> str:
    """``Prodigy`` of ``prodigyopt.prodigy.Prodigy(decouple=True)``."""
    return text.partition("(")[0].strip().rpartition(".")[2][:100]


def _resolution(text: str) -> tuple[int, int]:
    match = _PAIR.fullmatch(text.strip())
    if match is None:
        raise ValueError("no width and height")
    width = int(match[1])
    height = int(match[2] or width)
    if not (0 < width <= 65_536 and 0 < height <= 65_536):
        raise ValueError("no picture has this size")
    return width, height


def _prediction(text: str) -> str:
    word = text.strip().lower()[:50]
    return _PREDICTIONS.get(word, word)


def _digest(*lengths: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        digest = hex_digest(text, *lengths)
        if digest in words().placeholder_hashes:
            raise PlaceholderError("hash of nothing")
        return digest

    return read


def thumbnail(text: str) -> tuple[str, bytes]:
    """Media type and bytes of a base64 ``data:`` URI of a PNG, JPEG or WebP. Raises ValueError for all else.

    An address is refused, not fetched; SVG is a program rather than a picture; a text of 1 MiB was cut.
    """
    if len(text) >= MAX_TEXT:
        raise ValueError("larger than 1 MiB")
    match = _DATA_URI.match(text)
    if match is None:
        raise ValueError("not a base64 data: URI of a picture")
    media = match[1].lower().replace("image/jpg", "image/jpeg")
    if media not in _MAGIC:
        raise ValueError(f"{media[:40]} is not among {', '.join(_MAGIC)}")
    try:
        data = base64.b64decode(text[match.end() :].strip(), validate=True)
    except binascii.Error as error:
        raise ValueError("its base64 is damaged") from error
    if _MAGIC[media].match(data) is None:
        raise ValueError("its bytes are another format than it says")
    return media, data


READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "text": _text,
    "flag": _flag,
    "natural": natural,
    "whole": _whole,
    "number": _number,
    "first_number": _first_number,
    "words": _words,
    "file": _file,
    "callable": _callable,
    "resolution": _resolution,
    "prediction": _prediction,
    "date": iso_date,
    "epoch": epoch_date,
    "sha256": _digest(64),
    "autov1": _digest(8),
    "thumbnail": lambda text: thumbnail(text)[0],
}
