"""Crawls: the cursor follows the stored page, a stopped one goes on, a finished one starts anew."""

from indexer.catalog import crawls
from indexer.catalog.database import Catalog

URL = "https://hub.example"


def opened(catalog: Catalog, afresh: bool = False, **question: object) -> crawls.CrawlState:
    with catalog.write() as session:
        return crawls.open_crawl(session, "civitai", URL, question, afresh=afresh)


def moved(catalog: Catalog, crawl: crawls.CrawlState, cursor: str | None) -> None:
    with catalog.write() as session:
        crawls.move_crawl(session, crawl.id, cursor, 100, 1)


def test_a_stopped_crawl_goes_on(catalog: Catalog) -> None:
    first = opened(catalog, query="ink")
    assert (first.cursor, first.pages) == (None, 0)
    moved(catalog, first, "c1")
    again = opened(catalog, query="ink")
    assert (again.id, again.cursor, again.pages, again.items, again.refused) == (first.id, "c1", 1, 100, 1)
    assert opened(catalog, query="tea").id != first.id


def test_waiting_and_failed_ones_keep_their_place(catalog: Catalog) -> None:
    crawl = opened(catalog)
    moved(catalog, crawl, "c1")
    for state in ("waiting", "failed"):
        with catalog.write() as session:
            crawls.pause_crawl(session, crawl.id, state, "rate_limited", "asked to wait")
            assert crawls.list_crawls(session)[0].code == "rate_limited"
        again = opened(catalog)
        assert (again.state, again.cursor, again.code) == ("running", "c1", None)


def test_a_finished_crawl_and_afresh_start_anew(catalog: Catalog) -> None:
    crawl = opened(catalog)
    moved(catalog, crawl, "c1")
    assert opened(catalog, afresh=True).cursor is None
    moved(catalog, crawl, "c2")
    with catalog.write() as session:
        crawls.finish_crawl(session, crawl.id)
    again = opened(catalog)
    assert (again.id, again.cursor, again.pages) == (crawl.id, None, 0)
