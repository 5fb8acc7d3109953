"""Random documents and filters, small enough to collide."""

from hypothesis import strategies as st

from indexer.domain.fields import FIELDS, FieldType
from indexer.domain.filters import And, AnyOf, Filter, Not, Or, Range, Words, keyword
from indexer.domain.records import Document, FileRef
from indexer.domain.text import words

WORDS = ("ink", "Ink", "soft light", "SDXL", "DetailTweaker", "水彩画", "naïve", "v1.2", "a|b", "ﬁne", "")
TREES = (("sd1",), ("sdxl",), ("flux1", "flux1-dev"), ())
NUMBERS = (0, 1, 4, 8.5, 32, 10**9)
DAYS = ("2023-12-31", "2024-01-01", "2024-06-15", "2025-02-28", None)

texts = st.sampled_from(WORDS)
lists = st.lists(texts, max_size=3).map(tuple)
numbers = st.one_of(st.none(), st.sampled_from(NUMBERS))


@st.composite
def documents(draw: st.DrawFn, id_: int = 1) -> Document:
    path = draw(st.sampled_from(TREES))
    return Document(
        id=id_,
        model_id=id_,
        name=draw(texts),
        version=draw(texts),
        kind=draw(st.sampled_from(("lora", "checkpoint", "vae"))),
        adapter=draw(st.sampled_from((None, "lora", "lokr"))),
        architecture=path[-1] if path else None,
        architecture_path=path,
        family=draw(st.sampled_from((None, "pony"))),
        base_label=draw(st.sampled_from((None, "SDXL 1.0", "Flux.1 D"))),
        category=draw(st.sampled_from((None, "style"))),
        creator=draw(st.one_of(st.none(), texts)),
        tags=draw(lists),
        trigger_words=draw(lists),
        description=draw(texts),
        prompts=draw(lists),
        licence=draw(st.one_of(st.none(), texts)),
        rank=draw(st.sampled_from((None, 8, 32))),
        size=draw(st.sampled_from((None, 1, 10**9))),
        rating=draw(numbers),
        downloads=draw(st.sampled_from((None, 0, 4, 10**9))),
        nsfw_level=draw(st.sampled_from((None, 1, 4))),
        created=draw(st.sampled_from(DAYS)),
        hashes=draw(st.sampled_from(((), ("ab12" * 16,), ("cd34" * 16, "ab99" * 16)))),
        has=draw(st.sampled_from(((), ("preview",), ("preview", "trigger")))),
        flags=draw(st.sampled_from(((), ("local",), ("local", "mislabelled")))),
        files=draw(st.sampled_from(((), (FileRef("/m/ink_v1.safetensors", None, 1),)))),
    )


def _leaf() -> st.SearchStrategy[Filter]:
    by_type: dict[FieldType, list[str]] = {}
    for field in FIELDS.values():
        by_type.setdefault(field.type, []).append(field.name)
    wholes = [*by_type[FieldType.KEYWORD], *by_type[FieldType.TREE], *by_type[FieldType.FLAG]]
    values = [
        "lora",
        "lokr",
        "sdxl",
        "flux1",
        "flux1-dev",
        "pony",
        "style",
        "preview",
        "local",
        "ab12",
        "cd34",
        *WORDS,
    ]
    any_of = st.builds(
        lambda name, found: AnyOf(FIELDS[name], tuple(keyword(v) for v in found)),
        st.sampled_from(wholes),
        st.lists(st.sampled_from(values), min_size=1, max_size=2),
    )
    has_words = st.builds(
        lambda name, text, phrase: Words(FIELDS[name], tuple(words(text, glued=False)), phrase),
        st.sampled_from(by_type[FieldType.TEXT]),
        st.sampled_from([w for w in WORDS if w]),
        st.booleans(),
    )
    bounds = st.one_of(st.none(), st.sampled_from(NUMBERS))
    ranges = st.builds(
        lambda name, low, high, lo, ho: Range(FIELDS[name], low, high, lo, ho),
        st.sampled_from([*by_type[FieldType.NUMBER], *by_type[FieldType.SIZE]]),
        bounds,
        bounds,
        st.booleans(),
        st.booleans(),
    )
    days = st.builds(
        lambda low, high, lo, ho: Range(FIELDS["created"], low, high, lo, ho),
        st.sampled_from(DAYS),
        st.sampled_from(DAYS),
        st.booleans(),
        st.booleans(),
    )
    return st.one_of(any_of, has_words, ranges, days)


filters: st.SearchStrategy[Filter] = st.recursive(
    _leaf(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda nodes: And(tuple(nodes))),
        st.lists(inner, max_size=3).map(lambda nodes: Or(tuple(nodes))),
        inner.map(Not),
    ),
    max_leaves=6,
)
