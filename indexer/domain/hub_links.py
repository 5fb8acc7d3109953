"""Which model does a pasted address or AIR name? The forms are rows of ``indexer/data/hub_links.toml``.

An entry is known by ids of the form ``HUB:MODEL``, ``HUB:MODEL@VERSION`` and ``HUB:@VERSION``; of the Hugging
Face Hub, ``huggingface:ORG/NAME`` and ``huggingface:ORG/NAME@FILE_OR_FOLDER``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit

from indexer.domain.vocabulary import read_table

__all__ = ["HubLink", "civitai_page", "read_air", "read_link", "source_keys"]

_LONGEST = 2_000
_AIR = re.compile(
    r"(?P<head>urn:air:|air:)?(?:[\w.-]+:[\w.-]+:)?(?P<source>[\w-]+):(?P<id>[\w.-]+(?:/[\w.-]+)?)"
    r"(?:@(?P<version>[\w-]+))?(?:\+\w+)?(?:\.\w+)?",
    re.IGNORECASE,
)
"""https://developer.civitai.com, "AIR": ``urn:air:sdxl:lora:civitai:MODEL@VERSION``; all before the source is
optional."""


@dataclass(frozen=True, slots=True)
class HubLink:
    """What an address names; None where it says nothing. ``file`` is a path in a repository, ``hash`` hex."""

    hub: str
    model: str | None = None
    version: str | None = None
    file: str | None = None
    hash: str | None = None
    creator: str | None = None
    tag: str | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """The narrowest ids that the address gives: of the version, else of the model."""
        if self.version:
            return (f"{self.hub}:@{self.version}",)
        return (f"{self.hub}:{self.model}",) if self.model else ()


def read_link(text: str) -> HubLink | None:
    """What a hub's address names, with or without ``https://``; None for any other text."""
    if len(text) > _LONGEST or "/" not in text:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None  # a bracket or a port that no address has
    hub = _hubs().get(host)
    if hub is None or parts.scheme not in ("http", "https"):
        return None
    said = _path_groups(hub, unquote(parts.path).rstrip("/"))
    wanted = read_table("hub_links.toml")[hub].get("query", {})
    for name, value in parse_qsl(parts.query)[:50]:
        if said and name in wanted and value.isascii() and value.isdigit():
            said[wanted[name]] = value
    if said and "repository" in said:
        said["model"] = said.pop("repository")
    return HubLink(hub, **said) if said else None


def read_air(text: str) -> HubLink | None:
    """What an AIR names: ``urn:air:…``, ``civitai:101055@128078`` …; None for any other text."""
    found = _AIR.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    hub = read_table("hub_links.toml")["air"]["sources"].get(found["source"].lower())
    if hub is None or (hub == "civitai") != found["id"].isdigit():
        return None
    return HubLink(hub, found["id"], found["version"] if hub == "civitai" else None)


def source_keys(source: str, id_: str, url: str | None) -> tuple[str, ...]:
    """The source's name and all ids under which it knows an entry. ``id_`` is its own; ``url``, its page
    there, tells Civitai's models and versions apart."""
    if source == "local":
        return (source,)
    if source != "civitai":
        model, at, _ = id_.partition("@")
        return (source, f"{source}:{model}", f"{source}:{id_}")[: 3 if at else 2]
    link = read_link(url or "") or HubLink(source, version=id_)
    whole = f"{source}:{link.model}@{link.version}" if link.model and link.version else None
    keys = (link.model and f"{source}:{link.model}", whole, link.version and f"{source}:@{link.version}")
    return (source, *(key for key in keys if key))


def civitai_page(model: int | None, version: int | None) -> str:
    """The page of a version, or of a model where the version is not known; one of the two is."""
    if model is None:
        return f"https://civitai.com/model-versions/{version}"
    return f"https://civitai.com/models/{model}" + (f"?modelVersionId={version}" if version else "")


@cache
def _hubs() -> dict[str, str]:
    rows = read_table("hub_links.toml")
    return {host: hub for hub, row in rows.items() for host in row.get("hosts", ())}


@cache
def _patterns(hub: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(row["path"]) for row in read_table("hub_links.toml")[hub]["paths"])


def _path_groups(hub: str, path: str) -> dict[str, str]:
    found: Iterator[re.Match[str] | None] = (pattern.fullmatch(path) for pattern in _patterns(hub))
    match = next((match for match in found if match), None)
    return {name: value for name, value in match.groupdict().items() if value} if match else {}
