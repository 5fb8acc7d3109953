"""An exported stack on standard output, ready for a pipe; what could not be put in goes to standard error."""

import sys

from indexer.console import Console, printable
from search.exporting import Export

__all__ = ["write_export"]


def write_export(console: Console, made: Export) -> None:
    """The text as it is; with ``--json`` what is no JSON becomes ``{text, notes}``."""
    for note in made.notes:
        console.note(note)
    if console.json and made.media != "application/json":
        console.write_json({"text": made.text, "notes": list(made.notes)})
        return
    # Names from strangers could steer a terminal; a pipe or a file gets them as they are.
    lines = map(printable, made.text.splitlines()) if sys.stdout.isatty() else made.text.splitlines()
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
    sys.stdout.flush()
