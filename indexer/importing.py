"""From dumps of a hub to a searchable catalog: every item is stored or refused with its reason."""

from collections.abc import Sequence
from pathlib import Path

from indexer.encoders import active_encoders
from indexer.errors import UsageError
from indexer.pipeline import writing
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.generation import read_records
from indexer.stages.importing import HubReport, import_dump
from indexer.stages.publish import publish_text, publish_vectors
from indexer.under_way import telling

__all__ = ["import_dumps"]


def import_dumps(paths: Sequence[Path], settings: Settings, progress: Progress) -> HubReport:
    """Read dumps into the catalog one after another, then publish the text index.

    All files are looked for before the first is read. Raises ``UsageError`` (``file_missing``) for one that
    is not there, ``CatalogError`` when the catalog cannot be written. A dump that is damaged at its end is no
    error: it is told in ``HubReport.problems``.
    """
    files = list(dict.fromkeys(_checked(path) for path in paths))
    report = HubReport()
    with writing(settings) as catalog, telling(settings, "Importing", progress) as progress:
        for path in files:
            import_dump(path, catalog, progress, report)
        read_records(catalog, settings, progress)
        publish_text(catalog, settings, progress)
        if report.linked:
            # Pictures of files that were found at the hub stand under the hub's version now.
            publish_vectors(catalog, settings, active_encoders(settings, progress, download=True), progress)
    return report


def _checked(path: Path) -> Path:
    found = path.expanduser()
    if not found.is_file():
        fault = "is a folder" if found.is_dir() else "is not there"
        raise UsageError("file_missing", f"The dump {str(path)!r} {fault}. Name a file of models' records.")
    return found.resolve()
