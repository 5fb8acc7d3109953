"""Gone or only away? A disk that is not mounted must not empty the catalog.

Device numbers change at a reboot, so another number alone says nothing; together with nothing that is
recognised it says that another disk, or the empty folder under a mount, lies in the place.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from indexer.catalog.roots import GonePlace, RootState

__all__ = ["is_away", "still_mounted"]


def is_away(root: Path, state: RootState, *, seen: int, met: int) -> bool:
    """Whether a root is not what it was, as far as a complete walk can tell.

    ``seen`` counts the models found, ``met`` those at places that were known before.
    """
    try:
        device = root.stat().st_dev
    except OSError:
        return True
    return not seen or (not met and state.device is not None and state.device != device)


def still_mounted(root: Path, state: RootState, gone: Iterable[GonePlace]) -> list[GonePlace]:
    """The places that are really gone: not those on a disk that was mounted below the root and is not now.

    Such a disk leaves an empty folder on the root's own device.
    """
    device = root.stat().st_dev
    empty: dict[Path, bool] = {}
    really = []
    for place in gone:
        if state.device is not None and place.device != str(state.device):
            folder = _nearest(root, root / os.fsdecode(place.directory))
            if folder not in empty:
                empty[folder] = _is_empty(folder, device)
            if empty[folder]:
                continue
        really.append(place)
    return really


def _nearest(root: Path, folder: Path) -> Path:
    """The deepest folder on the way from ``root`` to ``folder`` that is there."""
    while folder != root and not folder.is_dir():
        folder = folder.parent
    return folder


def _is_empty(folder: Path, device: int) -> bool:
    try:
        return folder.stat().st_dev == device and next(folder.iterdir(), None) is None
    except OSError:
        return True  # unreadable: nothing is known of what it holds
