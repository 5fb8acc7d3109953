"""What is kept of a file: never fails, whatever the header holds, and comes back from its bytes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.checking import Base, Side, check_sides
from indexer.domain.fit import Subject, pack, unpack
from indexer.domain.vocabulary import kinds, read_table
from indexer.rules.fit_base import architecture_subject, base_tables
from indexer.rules.fit_profile import fit_profile
from tests.rules.builders import header

ROWS = read_table("adapters.toml")
prefixes = st.sampled_from(["", *(row["prefix"].replace("#", "1") for row in ROWS["prefixes"])])
suffixes = st.sampled_from([row["suffix"].replace("#", "1") for row in ROWS["suffixes"]])
modules = st.sampled_from(
    ["blocks.0.attn", "double_blocks_3_img_attn_qkv", "mid_block.attentions.0", "a\n\udc80", "", "clip_l.x"]
)
ends = st.sampled_from([".weight", ".bias", ".scale", ".weight.absmax", ".qweight", ""])
names = st.one_of(
    st.builds("{}{}.{}".format, prefixes, modules, suffixes),
    st.builds("{}{}{}".format, prefixes, modules, ends),
)
shapes = st.lists(st.sampled_from([0, 1, 2, 3, 4, 768, 2**62]), max_size=5).map(tuple)
types = st.sampled_from(["F16", "U8", "I8", "F8_E4M3", "F32"])
files = st.dictionaries(names, st.tuples(shapes, types), max_size=12)


@settings(max_examples=150)
@given(tensors=files, kind=st.sampled_from(sorted(kinds())))
def test_strange_files_are_judged_and_kept(
    tensors: dict[str, tuple[tuple[int, ...], str]], kind: str
) -> None:
    what = header(
        {name: shape for name, (shape, _) in tensors.items()},
        dtypes={name: dtype for name, (_, dtype) in tensors.items()},
    )
    profile = fit_profile(what, kind)
    assert unpack(pack(profile)) == profile
    subject = Subject(kind)
    known = architecture_subject("sd1")
    on_known = check_sides(Side(subject, profile), Base(known, tuple(base_tables(None, known))))
    assert on_known.verdict in ("compatible", "partial", "incompatible", "unknown")
    assert on_known.reasons
    own = fit_profile(what, "diffusion_model")
    stranger = Base(subject, tuple(base_tables(own, subject)))
    assert check_sides(Side(Subject("lora"), fit_profile(what, "lora")), stranger).reasons
