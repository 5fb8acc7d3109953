"""Models named outright, pasted prompts, and what is told of filters that nothing passes."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter, Or, Words
from indexer.domain.records import Document, FileRef, SourceRef
from search.query import QueryError, parse_query

PAGE = "https://civitai.com/models/101055/sd-xl"
VERSION, MODEL = AnyOf(FIELDS["source"], ("civitai:@128078",)), AnyOf(FIELDS["source"], ("civitai:101055",))
INK_FILE = Words(FIELDS["file"], ("ink", "wash", "v2", "safetensors"), phrase=True)


@pytest.mark.parametrize(
    ("query", "where"),
    [
        (PAGE, MODEL),
        (f"{PAGE}?modelVersionId=128078", VERSION),
        ("civitai.red/models/101055?modelVersionId=128078#x", VERSION),
        ("https://civitai.green/api/download/models/128078?type=Model&format=SafeTensor", VERSION),
        ("https://civitai.com/api/v1/model-versions/128078", VERSION),
        ("https://civitaiarchive.com/models/101055", MODEL),
        ("https://civarchive.com/models/101055?modelVersionId=128078", VERSION),
        ("https://civarchive.com/sha256/" + "AB12" * 16, AnyOf(FIELDS["hash"], ("ab12" * 16,))),
        ("https://civitai.com/user/Mira%20K/models", AnyOf(FIELDS["creator"], ("mira k",))),
        ("https://huggingface.co/Ink/Wash", AnyOf(FIELDS["source"], ("huggingface:ink/wash",))),
        ("hf-mirror.com/Ink/Wash/tree/main", AnyOf(FIELDS["source"], ("huggingface:ink/wash",))),
        ("urn:air:sdxl:checkpoint:civitai:101055@128078", VERSION),
        ("air:sdxl:checkpoint:civitai:101055@128078.safetensor", VERSION),
        ("civitai:101055", MODEL),
        ("source:civitai:101055", MODEL),
        (f"source:{PAGE}", MODEL),
        (" 2FD8A3C9E1 ", AnyOf(FIELDS["hash"], ("2fd8a3c9e1",))),
        ("0x2FD8A3C9E1", AnyOf(FIELDS["hash"], ("2fd8a3c9e1",))),
        ("0D4A1185", AnyOf(FIELDS["hash"], ("0d4a1185", "85114a0d"))),  # a CRC-32 in either order
        ("sha256:2FD8A3C9E1", AnyOf(FIELDS["hash"], ("2fd8a3c9e1",))),
        ("hash:blake3:2fd8a3c9e1", AnyOf(FIELDS["hash"], ("2fd8a3c9e1",))),
        ("ab12cd34 2fd8a3c9e1", Or((AnyOf(FIELDS["hash"], ("ab12cd34", "34cd12ab")), AnyOf(FIELDS["hash"], ("2fd8a3c9e1",))))),
        ("InkWash_v2.safetensors", INK_FILE),
        ("C:\\models\\ink wash v2.safetensors", INK_FILE),
        ('"/m/ink wash v2.safetensors"', INK_FILE),
    ],
)  # fmt: skip
def test_a_model_is_named_outright(query: str, where: Filter) -> None:
    parsed = parse_query(query)
    assert parsed.where == And((where,))
    assert (parsed.terms, parsed.phrases) == ((), ())
    assert len(parsed.fields) == 1


def test_filters_stand_beside_a_named_model() -> None:
    parsed = parse_query(f"({PAGE}) type:lora")
    assert parsed.where == And((AnyOf(FIELDS["type"], ("lora",)), MODEL))
    assert parsed.filters == ("type:lora", "source:civitai:101055")


def test_several_named_models_are_any_of_them() -> None:
    assert parse_query(f"{PAGE} civitai:101055@128078").where == And((Or((MODEL, VERSION)),))


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("2fd8a3c9e1 ink", ("2fd8a3c9e1", "ink")),  # beside words a short hash is a word
        ("https://example.org/models/12", ("https", "example", "org", "models", "12")),
        ("readme.txt", ("readme", "txt")),
        (".safetensors", ("safetensors",)),
        ("facade", ("facade",)),
    ],
)
def test_what_names_no_model_is_words(query: str, terms: tuple[str, ...]) -> None:
    parsed = parse_query(query)
    assert (parsed.terms, parsed.where) == (terms, And(()))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("https://huggingface.co/Ink/Wash/blob/main/a/b%20c.safetensors", {1, 2}),
        ("https://huggingface.co/Ink/Wash/resolve/main/other.safetensors", {3}),
        ("https://huggingface.co/Ink/Wash", {1, 2, 3}),
        ("https://civitai.com/models/7", {4}),
        ("https://civitai.com/models/7?modelVersionId=70", {4}),
        ("https://civitai.com/models/7?modelVersionId=71", set()),
        ("source:civitai", {4}),
    ],
)
def test_what_is_named_is_found(query: str, found: set[int]) -> None:
    page = "https://huggingface.co/Ink/Wash"
    library = (
        Document(1, 1, "as the Hub has it", sources=(SourceRef("huggingface", "Ink/Wash@a/b c.safetensors", page),)),
        Document(2, 2, "copy", files=(FileRef("/hf/b c.safetensors", None, 1),), sources=(SourceRef("huggingface", "Ink/Wash", page),)),
        Document(3, 3, "other", sources=(SourceRef("huggingface", "Ink/Wash@other.safetensors", page),)),
        Document(4, 4, "x", sources=(SourceRef("civitai", "70", "https://civitai.com/models/7?modelVersionId=70"),)),
    )  # fmt: skip
    where = parse_query(query).where
    assert {document.id for document in library if where.match(document)} == found


@pytest.mark.parametrize(
    ("prompt", "terms"),
    [
        ("(masterpiece:1.2), <lora:foo_bar:0.8>", ("masterpiece", "foo", "bar")),
        ("((best quality)), (soft light:1.3)", ("best", "quality", "soft", "light")),
        ("score_9, score_8_up, saber \\(fate\\)", ("score", "9", "8", "up", "saber", "fate")),
        ("1girl, :), nier:automata, -, smile", ("1girl", "nier", "automata", "smile")),
        ("[cat:dog:0.5] AND embedding:EasyInk BREAK -sea", ("cat", "dog", "easy", "ink", "sea")),
        ('1girl, solo, she said "no, smile', ("1girl", "solo", "she", "said", "no", "smile")),
        ("<lora:ink wash:1:0.5> harbour", ("ink", "wash", "harbour")),
        ("(ink:.8) sea", ("ink", "sea")),
        ("a knight), in the rain, at dusk", ("a", "knight", "in", "the", "rain", "at", "dusk")),
        (
            "a knight rides (slowly through the dark rain",
            ("a", "knight", "rides", "slowly", "through", "the", "dark", "rain"),
        ),
    ],
)
def test_a_pasted_prompt_is_words(prompt: str, terms: tuple[str, ...]) -> None:
    parsed = parse_query(prompt)
    assert parsed.terms == terms
    assert parsed.where == And(())
    assert parsed.notes == ("Read as a prompt: its words are searched, its weights and brackets are not.",)


@pytest.mark.parametrize(
    "query",
    [
        "ink (sea",
        "a, knight (rain",
        "size:<20QB, sea, rain, dusk",
        "ink OR wash OR (sea AND rain OR dusk AND night",
    ],
)
def test_a_mistaken_query_is_no_prompt(query: str) -> None:
    with pytest.raises(QueryError):
        parse_query(query)


@pytest.mark.parametrize(
    ("query", "terms", "phrases"),
    [
        ("1girl, solo", ("1girl", "solo"), ()),
        ("tall 5'11\"", ("tall", "5", "11"), ()),
        ("“soft light” «a b»", (), (("soft", "light"), ("a", "b"))),
        ("girl's “dress", ("girl", "s", "dress"), ()),
        ("masterpiece:1.2 fallout:4", ("masterpiece", "fallout", "4"), ()),
        ('"a" , "b c"', ("a",), (("b", "c"),)),
        ("- a -- b", ("a", "b"), ()),
    ],
)
def test_signs_that_mean_nothing_do_no_harm(
    query: str, terms: tuple[str, ...], phrases: tuple[tuple[str, ...], ...]
) -> None:
    parsed = parse_query(query)
    assert (parsed.terms, parsed.phrases, parsed.where) == (terms, phrases, And(()))


@pytest.mark.parametrize("query", ["(rank:8)", "(rating:4.5 OR type:vae)", "(size:1) ink"])
def test_a_filter_in_brackets_is_no_weight(query: str) -> None:
    assert parse_query(query).fields & {"rank", "rating", "size"}


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("type:lora type:vae", "Nothing can be both type lora and type vae."),
        ("ink type:lora,vae (type:checkpoint)", "Nothing can be both type lora or vae and type checkpoint."),
        ("arch:sd1 arch:flux", "Nothing can be both arch sd1 and arch flux1."),
        ("is:local is:remote", "Nothing can be both local and remote."),
        ("is:unseen -is:seen,unseen", "Nothing can be unseen and not seen or unseen."),
        ("tag:sea -tag:sea", "Nothing can be tag sea and not tag sea."),
        ("rank:>64 rank:<8", "Nothing can have rank above 64 and rank below 8."),
        ("created:>2025 created:2024", "Nothing can have created above 2025-12-31 and created at least 2024-01-01 and at most 2024-12-31."),
        ("rank:8 -rank:8", "Nothing can have rank at least 8 and at most 8 and not have it."),
        ("name:ink -name:ink", 'Nothing can have "ink" in its name and not have it.'),
        ("cat -cat", 'Nothing can have the word "cat" and not have it.'),
    ],
)  # fmt: skip
def test_filters_that_contradict_each_other_say_so(query: str, note: str) -> None:
    assert parse_query(query).notes == (note,)


@pytest.mark.parametrize(
    "query",
    [
        "tag:a tag:b",
        "arch:flux arch:flux1-dev",
        "is:local is:unseen",
        "type:lora,vae type:vae",
        "type:lora OR type:vae",
        "rank:>8 rank:<64",
        "rank:8 downloads:4",
        "type:lora -type:vae",
        "hash:ab12 -hash:cd34",
        "cat -dog",
    ],
)
def test_filters_that_agree_are_not_talked_about(query: str) -> None:
    assert parse_query(query).notes == ()


ARCHIVE = Path(__file__).resolve().parents[2] / "../shared/data/hostile.tar.xz"


def _member(name: str) -> bytes:
    with tarfile.open(ARCHIVE) as archive:
        handle = archive.extractfile(f"./{name}")
        assert handle is not None
        return io.BytesIO(handle.read()).getvalue()


@pytest.mark.shared
@pytest.mark.skipif(not ARCHIVE.exists(), reason="development cases are not here")
def test_naughty_strings_and_operators_of_engines_are_queries_or_carets() -> None:
    naughty = json.loads(_member("big-list-of-naughty-strings/blns.json"))
    engines = _member("lists/fts5_queries.txt").decode(errors="surrogateescape").split("\n")
    assert len(naughty) > 500 and len(engines) > 90
    for query in (*naughty, *engines):
        try:
            parse_query(query)
        except QueryError as error:
            assert 0 <= error.start <= len(query)
            assert "^" in str(error)


def test_what_a1111_writes_of_a_picture_is_its_prompt() -> None:
    written = (
        "a boat, (blue sea:1.2)\nNegative prompt: rust, <lora:old:1>\n"
        "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Size: 512x768, Model hash: 04baab99, Model: old"
    )
    parsed = parse_query(written)
    assert parsed.terms == ("a", "boat", "blue", "sea")
    assert not parsed.filters
    assert parse_query("steps to heaven type:lora").terms == ("steps", "to", "heaven")
