"""What lies about the home: the disk, the folders that are indexed, the settings."""

import shutil
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from indexer.catalog import health
from indexer.catalog.database import Catalog
from indexer.domain.health import Finding, fault, note, sound
from indexer.settings import Settings

__all__ = ["look_around"]

_FULL, _TIGHT = 200_000_000, 2_000_000_000
"""Bytes left on the home's disk below which indexing soon stops, and below which it is told."""


def look_around(catalog: Catalog, settings: Settings) -> Iterator[Finding]:
    """Disk, folders, settings."""
    yield _disk(settings)
    with catalog.read() as session:
        roots = health.roots_told(session)
    yield _folders(roots, settings)
    yield from _contradictions(settings)


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free
    told = f"{free / 1e9:.1f} GB are free on the disk of {settings.home}"
    if free < _FULL:
        return fault("disk", f"Only {told}.", "Free some space: the next run could not be written.")
    if free < _TIGHT:
        return note("disk", f"Only {told}.", "Free some space before the next large run.")
    return sound("disk", told)


def _folders(roots: list[str], settings: Settings) -> Finding:
    away = [root for root in roots if not Path(root).is_dir()]
    home = settings.home.resolve()
    inside = [root for root in roots if home.is_relative_to(root)]
    if inside:
        detail = f"The home lies inside {inside[0]}, a folder that is indexed."
        return fault("folders", detail, "Move it and name its new place with --home or PINAKES_HOME.")
    if away:
        told = ", ".join(away[:4]) + (f" and {len(away) - 4} more" if len(away) > 4 else "")
        detail = f"{len(away)} of {len(roots)} folders cannot be reached: {told}."
        return note("folders", detail, "Is the disk mounted? What they hold is kept as it is.")
    if not roots:
        return note("folders", "No folder is indexed yet.", "Run: pinakes index FOLDER")
    return sound("folders", f"{len(roots)} {'folder' if len(roots) == 1 else 'folders'} within reach")


def _contradictions(settings: Settings) -> Iterator[Finding]:
    if not _is_loopback(settings.host) and settings.token is None:
        detail = f"PINAKES_HOST is {settings.host}, for others to reach, but PINAKES_TOKEN is not set."
        yield note("settings", detail, "pinakes serve will not start: set a token, or take the host away.")
    if settings.meilisearch_key is not None and settings.meilisearch_url is None:
        detail = "A key for Meilisearch is set, but no PINAKES_MEILISEARCH_URL: the embedded engine searches."
        yield note("settings", detail, "Set the URL, if a server is meant to search.")
    named = Path(settings.clip_pretrained or "")
    looks_like_a_file = bool(named.suffix) or len(named.parts) > 1
    if settings.clip_pretrained and looks_like_a_file and not named.is_file():
        detail = f"PINAKES_CLIP_PRETRAINED names {str(named)!r}, which is not there."
        yield fault("settings", detail, "Correct the path, or take the setting away: style needs no weights.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
