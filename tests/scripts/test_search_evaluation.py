"""The evaluation of search asks what it says, leaves out what it must, and counts rightly."""

import json
import lzma
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.evaluations.search import main
from scripts.evaluations.search_catalog import filtered
from scripts.evaluations.search_engines import FullText, peer_documents
from scripts.evaluations.search_figures import figures_of
from scripts.evaluations.search_models import Model, model_of
from scripts.evaluations.search_prompts import ALIKE, bare_prompt, prompt_cases, twins
from scripts.evaluations.search_tasks import Case, known_item_cases, typing_error
from scripts.evaluations.search_topics import topic_cases

PROMPT = "masterpiece, <lora:ink:0.8>, inkwash style, (a harbour:1.2) at dawn, boats on still water"


def item(number: int = 1, **more: Any) -> dict[str, Any]:
    image = {"url": f"https://127.0.0.1/{number}.png", "meta": {"prompt": PROMPT}}
    version = {
        "id": number * 10,
        "name": "v1",
        "trainedWords": ["inkwash style, 1girl"],
        "baseModel": "SD 1.5",
        "files": [{"name": "inkWash_v1.safetensors", "hashes": {"AutoV2": "AB12CD34EF"}}],
        "images": [image],
    }
    return {
        "id": number,
        "type": "LORA",
        "name": "InkWash Harbour Style LoRA v1.2",
        "creator": {"username": f"mira{number}"},
        "tags": ["watercolor", "harbour"],
        "modelVersions": [version],
    } | more


def cases_of(*items: dict[str, Any]) -> dict[str, Case]:
    return {case.task: case for case in known_item_cases([model_of(one) for one in items])}


def test_names_are_asked_for_by_their_words() -> None:
    cases = cases_of(item())
    assert cases["name"].query == "ink wash harbour style"
    assert set(cases["dropped"].query.split()) < set(cases["name"].query.split())
    assert cases["mistyped"].query != cases["name"].query
    assert cases["trigger"].query == "inkwash style"
    assert cases["creator"].query.split()[0] == "mira1"
    assert {case.wanted for case in cases.values()} == {frozenset({1})}


def test_a_name_without_words_is_not_asked_for() -> None:
    assert "name" not in cases_of(item(name="LoRA 3.5"))


def test_a_trigger_that_many_share_is_not_asked_for() -> None:
    many = [item(number) for number in range(1, 30)]
    assert "trigger" not in {case.task for case in known_item_cases([model_of(one) for one in many])}


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=3), st.integers())
def test_a_typing_error_keeps_the_first_letter_and_is_small(word: str, seed: int) -> None:
    wrong = typing_error(word, random.Random(seed))
    assert wrong[0] == word[0]
    assert abs(len(wrong) - len(word)) <= 1


def test_of_a_prompt_only_what_it_shows_is_left() -> None:
    assert bare_prompt(PROMPT, model_of(item())) == "a harbour at dawn, boats on still water"


def models(*prompts: str) -> list[Model]:
    found = []
    for number, prompt in enumerate(prompts, 1):
        one = item(number)
        one["modelVersions"][0]["images"][0]["meta"]["prompt"] = prompt
        found.append(model_of(one))
    return found


def test_pictures_of_nearly_the_same_prompt_are_left_out() -> None:
    dump = models(PROMPT, f"{PROMPT}, gulls", "a red fox in deep snow under a pale sky")
    (case,) = list(prompt_cases(dump))[:1]
    assert twins(dump, [case]) == {(1, 0, 0), (2, 0, 0)}


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=5).map(" ".join), min_size=1, max_size=12))
def test_twins_are_those_that_comparing_all_finds(prompts: list[str]) -> None:
    dump = models(*prompts)
    cases = list(prompt_cases(dump))[:1]
    sets = {(m.id, *i.place): set(i.prompt.split()) for m in dump for i in m.images}
    slow = {
        place
        for place, words in sets.items()
        for case in cases
        if len(words & sets[case.place]) >= ALIKE * len(words | sets[case.place])
    }
    assert twins(dump, cases) == slow


def test_a_checkpoints_page_counts_only_for_its_own_pictures() -> None:
    other = item(type="Checkpoint")
    own = item(2, type="Checkpoint")
    own["modelVersions"][0]["images"][0]["meta"]["Model hash"] = "ab12cd34ef"
    assert [case.place[0] for case in prompt_cases([model_of(other), model_of(own)])] == [2]


def test_topics_are_pairs_of_tags_that_several_creators_use() -> None:
    dump = [model_of(item(number, tags=["watercolor", "harbour"])) for number in range(1, 7)]
    (case,) = topic_cases(dump)
    assert (case.query, case.wanted) == ("harbour watercolor", frozenset(range(1, 7)))


def test_the_dump_loses_pictures_and_tags(tmp_path: Path) -> None:
    dump = filtered([item(1), item(2)], {(1, 0, 0)}, tmp_path, tags=False)
    first, second = (json.loads(line) for line in dump.path.read_bytes().splitlines())
    assert first["modelVersions"][0]["images"] == [] == first["tags"]
    assert len(second["modelVersions"][0]["images"]) == 1
    assert filtered([item(1)], set(), tmp_path).digest != dump.digest


def test_figures_of_one_answer() -> None:
    first, third, none = (figures_of([7, 8, 9], {wanted}) for wanted in (7, 9, 1))
    assert (first.mrr, first.recall, first.ndcg) == (1, 1, 1)
    assert [third.mrr, third.recall, third.ndcg] == pytest.approx([1 / 3, 1, 1 / 2])
    assert (none.mrr, none.recall, none.ndcg) == (0, 0, 0)
    assert figures_of(range(20), set(range(100))).recall == 1


def test_the_peer_finds_by_any_word() -> None:
    documents = list(peer_documents([item(1), item(2, name="Paper Fox", tags=[])]))
    assert FullText(documents, whole=False).search("fox harbour", 10) == [2, 1]
    assert FullText(documents, whole=True).search('mira2 "', 10) == [2]


def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with lzma.open(tmp_path / "models.jsonl.xz", "wt") as lines:
        for number, name in enumerate(("Paper Fox", "Quiet Harbour", "Copper Moon Style"), 1):
            lines.write(json.dumps(item(number, name=name)) + "\n")
    misses = tmp_path / "misses.jsonl"
    arguments = [str(tmp_path), "--home", str(tmp_path / "home"), "--tasks", "name,dropped", "--baselines"]
    for _ in range(2):  # the second time from what the first one made
        assert main([*arguments, "--json", "--dump-failures", str(misses)]) == 0
    told = json.loads(capsys.readouterr().out.split("\n{")[-1].join(("{", "")))
    assert told["tasks"]["name"]["Pinakes, tantivy"]["mrr"] == 1
    assert misses.read_bytes() == b""


def test_a_folder_without_items_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no model items in models.jsonl.xz" in capsys.readouterr().err
