"""The text index that the settings name: a Meilisearch server where its URL is set, else an embedded one."""

import shutil

from indexer.indexes.text import TextIndex
from indexer.settings import Settings

__all__ = ["open_text_index"]


def open_text_index(settings: Settings, *, afresh: bool = False) -> TextIndex:
    """Open the configured text index; ``afresh``: an empty one, to be filled and then completed.

    Raises ``CatalogError`` when an embedded index cannot be opened; a server is first asked when it is used,
    except ``afresh``.
    """
    if settings.meilisearch_url is None:
        return _embedded(settings, afresh=afresh)
    from indexer.indexes.text_meilisearch import MeilisearchIndex  # its HTTP client is slow to import

    key = settings.meilisearch_key
    index = MeilisearchIndex(
        settings.meilisearch_url,
        key.get_secret_value() if key else None,
        settings.meilisearch_index,
        settings.text_ledger_file,
    )
    if afresh:
        index.start_anew()
    return index


def _embedded(settings: Settings, *, afresh: bool) -> TextIndex:
    from indexer.indexes.text_tantivy import TantivyIndex

    if afresh:
        shutil.rmtree(settings.text_folder, ignore_errors=True)
    return TantivyIndex(settings.text_folder)
