"""Descriptions as the words a reader would see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.catalog.plain_text import plain_text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<p>Soft <b>ink</b></p><p>and wash</p>", "Soft ink\nand wash"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("a<br/>b<BR>c", "a\nb\nc"),
        ("<b>water</b>colour", "watercolour"),
        ("&lt;lora:ink:1&gt; &amp; &#233;t&eacute;&nbsp;x", "<lora:ink:1> & été x"),
        ("&amp;lt;", "&lt;"),
        ("<script>steal()</script><style>p {}</style>kept", "kept"),
        ('<img src="x" alt="no word"><a href="https://h/">link</a>', "link"),
        ("plain text: 3 < 4\n\n\n  and   more ", "plain text: 3 < 4\nand more"),
        ("", ""),
    ],
)
def test_tags_go_and_words_stay(written: str, read: str) -> None:
    assert plain_text(written) == read


def test_a_long_text_is_cut() -> None:
    assert len(plain_text("<p>word </p>" * 100_000)) <= 20_000


@given(st.text(alphabet="<>/&;#x1apbr! \n\"'=lt", max_size=200))
def test_any_text_is_taken(text: str) -> None:
    plain_text(text)
