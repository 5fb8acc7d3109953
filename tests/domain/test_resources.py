"""Hashes in pictures' texts, and the kinds that names may mean."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.resources import hash_forms, hash_keys, may_be

SHA256 = hashlib.sha256(b"x").hexdigest()


def test_the_length_tells_which_hash_it_is() -> None:
    assert hash_keys(SHA256[:8]) == (("autov1", SHA256[:8]),)
    assert hash_keys("0x" + SHA256[:10].upper()) == (("autov2", SHA256[:10]),)
    assert hash_keys(SHA256[:12]) == (("autov3", SHA256[:12]), ("autov2", SHA256[:10]))
    assert hash_keys(SHA256)[0] == ("sha256", SHA256)


def test_what_is_no_hash_means_nothing() -> None:
    for text in (None, "", "abc", "not a hash", "g" * 10, "a" * 9, "a" * 65):
        assert hash_keys(text) == ()


@given(st.text(max_size=70))
def test_any_text_is_taken(text: str) -> None:
    assert all(len(value) >= 8 for _, value in hash_keys(text))


def test_a_stored_hash_is_found_by_each_form_of_it() -> None:
    for form in hash_forms("sha256", SHA256):
        keys = dict(hash_keys(form))
        assert SHA256 in (keys.get("sha256"),) or keys["autov2"] == SHA256[:10]
    assert hash_forms("crc32", "12345678") == ()


def test_kinds() -> None:
    assert may_be("unknown", "lora") and may_be("lora", "unknown") and may_be("vae", "vae")
    assert not may_be("lora", "textual_inversion")
