"""Licences in plain words: the strictest word counts, and what nobody says is not invented."""

from typing import Any

from indexer.domain.records import Document
from search.web.terms import terms_of


def said(**permissions: Any) -> list[dict[str, Any]]:
    return [{"source": "sidecar:civitai.info", "claims": {"permissions": permissions}}]


def test_nothing_is_known_of_a_bare_model() -> None:
    terms = terms_of(Document(1, 1, "x"), [])
    assert terms.headline.startswith("Nobody says") and len(terms.unknown) == 6
    assert not (terms.allowed or terms.refused or terms.by)


def test_a_licence_allows_and_refuses() -> None:
    document = Document(
        1, 1, "x", licence="Apache 2.0", permissions=("apache-2.0", "commercial", "sell-images")
    )
    terms = terms_of(document, [])
    assert terms.headline == "Pictures made with it may be sold."
    assert terms.allowed == ["sell pictures made with it, or use them commercially"]
    assert len(terms.refused) == 5 and terms.by == ["its licence, Apache 2.0"]


def test_its_creator_forbids() -> None:
    document = Document(1, 1, "x", permissions=("non-commercial", "merge"))
    terms = terms_of(document, said(derivatives=True, commercial=[]))
    assert terms.headline == "Pictures made with it may not be sold."
    assert terms.allowed == ["share what you derive from it"]
    assert terms.by == ["its creator's permissions as told by a civitai.info file beside it"]


def test_the_base_limits_what_is_done_for_money() -> None:
    document = Document(1, 1, "x", architecture="flux1-dev", permissions=("non-commercial",))
    terms = terms_of(document, [])
    assert "sell it, or merges with it" in terms.refused
    assert "share what you derive from it" in terms.unknown
    assert any("base" in who for who in terms.by)
