"""Upkeep: indexes that fell behind are brought up to date, the catalog's own books are put in order."""

from indexer.catalog.tidying import tidy_catalog
from indexer.encoders import active_encoders
from indexer.pipeline import IndexReport, writing
from indexer.progress import Progress
from indexer.settings import Settings
from indexer.stages.publish import publish_text, publish_vectors

__all__ = ["keep_up"]


def keep_up(settings: Settings, progress: Progress) -> IndexReport:
    """Publish what the indexes lack (all of it where one is damaged or of another format), tidy the catalog.

    Indexes that are up to date are left alone. Raises ``CatalogError`` when the catalog cannot be written.
    """
    report = IndexReport()
    with writing(settings) as catalog:
        report.published = publish_text(catalog, settings, progress)
        encoders = active_encoders(settings, progress, download=True)
        report.vectors = publish_vectors(catalog, settings, encoders, progress)
        with progress.stage("Tidying the catalog", "steps", 1) as stage:
            tidy_catalog(catalog)
            stage.advance()
    return report
