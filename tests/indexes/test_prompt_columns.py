"""Numbers of many cuts in columns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.prompt_cut import MAX_PROMPTS, cut, number, read_prompt
from indexer.domain.records import Document
from indexer.indexes.prompt_columns import columns_of, counts_of

PROMPTS = st.lists(st.text(alphabet="ab ,_é", max_size=20), max_size=3)


@given(st.lists(PROMPTS, min_size=1, max_size=4))
def test_parts_come_back_with_their_units(texts: list[list[str]]) -> None:
    documents = [Document(1, 1, "boat", prompts=tuple(prompts)) for prompts in texts]
    columns = columns_of([cut(document) for document in documents])
    for kind in range(3):
        wanted = sorted(
            (place * MAX_PROMPTS + which, number(part))
            for place, prompts in enumerate(texts)
            for which, text in enumerate(prompts)
            for part in read_prompt(text).parts[kind]
        )
        values, units = columns.parts(kind)
        assert sorted(zip(units.tolist(), values.tolist(), strict=True)) == wanted


def test_counts_are_of_prompts() -> None:
    one, other = (
        counts_of(columns_of([cut(Document(1, 1, "x", prompts=prompts))]))
        for prompts in (("a boat, a sea", "boat"), ("boat",))
    )
    both = one.plus(other)
    assert both.prompts == 3
    assert both.table[0, number("boat")] == 3
    assert both.table[1, number("a sea")] == 1
    shares = both.shares(np.array([number("boat"), number("zebra")]))
    assert shares[0] > 0.5 > shares[1] > 0
