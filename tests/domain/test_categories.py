"""Categories from tags."""

import tomllib
from importlib import resources

import pytest

from indexer.domain.categories import categories, category_of
from indexer.domain.filters import keyword


@pytest.mark.parametrize(
    ("tags", "category"),
    [
        (["anime", "Style"], "style"),
        (["concept", "poses"], "pose"),
        (["Real  Person"], "celebrity"),
        (["sdxl", "woman"], None),
        ([], None),
    ],
)
def test_the_first_row_that_a_tag_names_wins(tags: list[str], category: str | None) -> None:
    assert category_of(tags) == category


def test_the_table_is_sound() -> None:
    rows = tomllib.loads(resources.files("indexer.data").joinpath("categories.toml").read_text("utf-8"))[
        "category"
    ]
    tags = [tag for row in rows for tag in row["tags"]]
    assert len(tags) == len(set(tags))
    assert all(tag == keyword(tag) for tag in tags)
    assert all(row["why"] for row in rows)
    assert len(categories()) == len(set(categories()))
