"""A description is shown as it was formatted, and searched as plain words."""

import json
from pathlib import Path

import httpx

from indexer.importing import import_dumps
from indexer.progress import Silent
from indexer.settings import Settings
from search.service import Pinakes
from tests.api.serving import serving
from tests.parsers.civitai_items import item, version

HTML = "<p>Soft <b>ink</b> &amp; wash</p><ul><li>one</li></ul><script>steal()</script>"


def test_the_page_keeps_the_format_and_search_the_words(settings: Settings, tmp_path: Path) -> None:
    told = item(3, description=HTML, modelVersions=[version(7, description="<p>New in v2</p>")])
    path = tmp_path / "dump.jsonl"
    path.write_text(json.dumps(told))
    import_dumps([path], settings, Silent())
    with Pinakes(settings) as pinakes:
        (hit,) = pinakes.search('description:"ink & wash"').hits
    assert hit.document.description == "Soft ink & wash\none\nNew in v2"
    with serving(settings) as address:
        page = httpx.get(f"{address}/model/{hit.document.id}", timeout=60, trust_env=False).text
    assert "<p>Soft <b>ink</b> &amp; wash</p>" in page
    assert "<p>New in v2</p>" in page
    assert "steal" not in page
