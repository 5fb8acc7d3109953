"""Looks over everything that a home holds, and mends what can be made again from the catalog.

- ``books``: the catalog: its pages, tables, references, entries, counters, leases.
- ``pictures``: thumbnails and vectors of pictures.
- ``indexes``: the text index and the vector indexes, byte by byte, and against the catalog.
- ``surroundings``: the disk, the folders that are indexed, settings that contradict.
- ``mending``: the repairs, each of which can be stopped and done again.

Checks of bytes and rows live beside what they check; here they become findings.
"""

from indexer.doctor.examining import Report, examine
from indexer.doctor.mending import mend

__all__ = ["Report", "examine", "mend"]
