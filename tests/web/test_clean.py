"""What strangers wrote cannot become more than text, lists and links."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.web.clean import cleaned, plain, web_address
from tests.web.payloads import PAYLOADS

QUIET = {
    *("a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p"),
    *("pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"),
}


class Reader(HTMLParser):
    """Fails at the first element or attribute that is more than text, lists, tables and links."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in QUIET
        assert {name for name, _ in attrs} <= ({"href", "rel", "target"} if tag == "a" else set())
        assert all(web_address(value) for name, value in attrs if name == "href")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_active_is_left(payload: str) -> None:
    for text in (payload, f"<p>{payload}</p>", f"<a href='{payload}'>x</a>", f"<b title='{payload}'>x</b>"):
        Reader().feed(str(cleaned(text)))


@given(st.text(st.sampled_from("<>/=\"' abhref:javscript&;\n\x00!-"), max_size=200))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    once = str(cleaned(f"<p>{text}</p>"))
    assert str(cleaned(once)) == once or not once.strip()
    Reader().feed(once)


def test_plain_text_keeps_its_paragraphs() -> None:
    assert str(cleaned("one < two\nthree\n\nfour & five")) == (
        "<p>one &lt; two<br>three</p><p>four &amp; five</p>"
    )


def test_links_open_apart_and_tell_nothing() -> None:
    link = str(cleaned('<a href="https://example.org/a?b=1">x</a>'))
    assert 'rel="noopener noreferrer nofollow"' in link
    assert 'target="_blank"' in link


@pytest.mark.parametrize(
    "address",
    [
        *("javascript:alert(1)", " https://x", "//evil.test", "/local", "data:text/html,x", "JaVaScRiPt:x"),
        *("https://", "vbscript:x", "java\tscript:x", "https://a b", 'https://a"b', "", "mailto:a@b"),
    ],
)
def test_only_whole_web_addresses_are_links(address: str) -> None:
    assert web_address(address) is None
    assert "href" not in str(cleaned(f"<a href='{address}'>x</a>"))


def test_a_web_address_is_one() -> None:
    assert web_address("https://civitai.com/models/1?modelVersionId=2")


def test_copied_text_has_no_controls() -> None:
    assert plain("a\x1b[31mb\u202ec\x00\u2066d") == "a[31mbcd"
    assert plain("line\nbreak\ttab") == "line\nbreak\ttab"
