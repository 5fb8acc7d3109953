"""What may be asked, what is refused, and that nothing asked is a fault of ours."""

import string
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.v1.items import BASES, TYPES, digest
from tests.api.v1.schema import Client, check_model

NUMBERS = [*range(1, 121), *range(1_000, 1_020)]


def ids(client: Client, **params: Any) -> set[int]:
    return {item["id"] for page in client.pages("models", limit=50, **params) for item in page}


def test_filters_leave_what_they_name(hub: Client) -> None:
    def having(test: Any) -> set[int]:
        return {number for number in NUMBERS if test(number)}

    every = {"nsfw": "true"}
    assert ids(hub, types="LORA", **every) == having(lambda n: TYPES[n % 5] == "LORA")
    both = having(lambda n: TYPES[n % 5] in ("LoCon", "VAE"))
    assert ids(hub, types="LoCon,VAE", **every) == ids(hub, types=["LoCon", "VAE"], **every) == both
    assert ids(hub, baseModels=["Pony", "SD 1.5"], **every) == having(
        lambda n: BASES[n % 4] in ("Pony", "SD 1.5")
    )
    assert ids(hub, baseModels="sdxl 1.0", **every) == having(lambda n: BASES[n % 4] == "SDXL 1.0")
    assert ids(hub, username="artist2", **every) == having(lambda n: n % 6 == 2)
    assert ids(hub, tag="tag3", **every) == having(lambda n: n % 5 == 3)
    assert ids(hub, tag="tag3", username="artist2", types="LoCon", **every) == having(
        lambda n: n % 5 == 3 and n % 6 == 2
    )
    assert ids(hub, allowCommercialUse="Sell", **every) == set(range(1_000, 1_020))
    assert ids(hub, allowDerivatives="false", **every) == set()
    assert ids(hub, period="Day", **every) == set()
    assert ids(hub, favorites="true", **every) == ids(hub, hidden="true", **every) == set()
    assert ids(hub, supportsGeneration="true", **every) == set()


def test_adult_and_real_people_are_hidden_unless_asked_for(hub: Client) -> None:
    shown, every = ids(hub), ids(hub, nsfw="true")
    assert every == set(NUMBERS)
    assert shown == {n for n in NUMBERS if n % 11 and n % 17}
    assert ids(hub, nsfw="true", disablePoi="true") == {n for n in NUMBERS if n % 17}
    assert ids(hub, ids="11,17,4") == {11, 17, 4}
    assert hub.get("models/11")["nsfw"] is True

    def levels(**params: Any) -> set[int]:
        items = hub.get("models", limit=50, **params)["items"]
        return {p["nsfwLevel"] for item in items for v in item["modelVersions"] for p in v["images"]}

    assert (levels(), levels(nsfw="true")) == ({1}, {1, 8})


def test_ids_come_in_the_order_asked(hub: Client) -> None:
    assert [item["id"] for item in hub.get("models", ids="30,7,99999,12")["items"]] == [30, 7, 12]
    pages = hub.pages("models", ids=",".join(map(str, range(50, 20, -1))), limit=8)
    assert [item["id"] for page in pages for item in page] == list(range(50, 20, -1))


def test_only_primary_files_when_asked(hub: Client) -> None:
    for item in hub.get("models", primaryFileOnly="true", limit=20)["items"]:
        assert all([file["primary"] for file in v["files"]] == [True] for v in item["modelVersions"])


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"page": 2, "query": "ink"}, 400),
        ({"page": 11, "limit": 100}, 429),
        ({"page": 2**62, "limit": 1}, 429),
        ({"page": 0}, 400),
        ({"page": "two"}, 400),
        ({"limit": 0}, 400),
        ({"limit": 101}, 400),
        ({"limit": "9" * 50}, 400),
        ({"limit": "²"}, 400),
        ({"types": "Lora,Nonsense"}, 400),
        ({"sort": "Best"}, 400),
        ({"period": "Decade"}, 400),
        ({"nsfw": "perhaps"}, 400),
        ({"ids": "1,x"}, 400),
        ({"cursor": "abc"}, 400),
        ({"rating": "high"}, 400),
        ({"query": "x" * 3_000}, 400),
    ],
)
def test_wrong_questions_are_told(hub: Client, params: dict[str, Any], status: int) -> None:
    assert hub.refused("models", **params)[0] == status


def test_other_routes_tell_too(hub: Client) -> None:
    for route in (
        "models/9999999",
        "models/x",
        "model-versions/9999999",
        "model-versions/mini/77777",
        "nope",
    ):
        assert hub.refused(route)[0] == 404
    assert hub.refused("models/-1")[0] == 404
    assert hub.refused("model-versions/by-hash/" + "0" * 64)[0] == 404
    assert hub.refused("model-versions/by-hash/xyz")[0] == 404
    assert hub.refused("creators", limit=0)[0] == 400
    assert hub.refused("images", limit=201)[0] == 400
    assert hub.refused("images", page=30, limit=100)[0] == 429
    assert hub.get("images", modelId=424242)["items"] == []
    assert hub.get("models", sortt="Nonsense", whatever="1", limit=3)["items"]


def test_hashes_by_the_hundred(hub: Client) -> None:
    known = [digest(number) for number in (30, 10, 32)]
    found = hub.post("model-versions/by-hash", [known[0].lower(), "0" * 64, *known]).json()
    assert [release["id"] for release in found] == [30, 10, 32]
    rows = hub.post("model-versions/by-hash/ids", [*known, *(f"{n:064x}" for n in range(9_997))]).json()
    assert rows == [{"modelVersionId": n, "hash": digest(n)} for n in (30, 10, 32)]
    wrong: list[Any] = [{}, "x", [1], ["abc"], None, [["0" * 64]]]
    for body in [*wrong, ["0" * 64] * 101]:
        answer = hub.post("model-versions/by-hash", body)
        assert answer.status_code == 400 and answer.json()["error"]
    assert hub.post("model-versions/by-hash/ids", ["0" * 64] * 10_001).status_code == 400
    broken = hub.http.post(
        "/api/v1/model-versions/by-hash", content=b"[", headers={"content-type": "application/json"}
    )
    assert broken.status_code == 400 and broken.json()["error"]


def test_creators_and_tags_are_searched_and_numbered(hub: Client) -> None:
    page = hub.get("creators", limit=4, page=2)
    assert [one["username"] for one in page["items"]] == ["artist4", "artist5"]
    assert (
        page["metadata"].items()
        >= {"totalItems": 6, "currentPage": 2, "pageSize": 4, "totalPages": 2}.items()
    )
    assert [one["username"] for one in hub.get("creators", query="TIST3")["items"]] == ["artist3"]
    assert [one["name"] for one in hub.get("tags", query="tag")["items"]] == [f"tag{n}" for n in range(5)]
    assert hub.get("tags", query="100%_")["items"] == []


NAMES = [
    "limit",
    "page",
    "cursor",
    "query",
    "ids",
    "tag",
    "username",
    "types",
    "baseModels",
    "checkpointType",
    "sort",
    "period",
    "nsfw",
    "rating",
    "favorites",
    "supportsGeneration",
    "primaryFileOnly",
    "hidden",
    "allowNoCredit",
    "allowCommercialUse",
    "earlyAccess",
    "modelId",
    "modelVersionId",
    "imageId",
    "postId",
    "userId",
    "browsingLevel",
    "tags",
    "type",
    "withMeta",
    "disablePoi",
    "token",
]
WORDS = st.sampled_from(
    ["true", "1", "LORA", "Newest", "Oldest", "Week", "100", "0", "-1", "Image", "SDXL 1.0"]
)
VALUES = WORDS | st.text(max_size=30) | st.integers(-(2**70), 2**70).map(str)


@settings(max_examples=80)
@given(
    st.sampled_from(["models", "images", "creators", "tags", "enums"]),
    st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6),
)
def test_no_parameter_is_a_fault_of_ours(hub: Client, route: str, params: list[tuple[str, str]]) -> None:
    answer = hub.http.get(f"/api/v1/{route}?{urlencode(params)}")
    assert answer.status_code in (200, 400, 429), answer.text
    body = answer.json()
    if answer.status_code == 200 and route == "models":
        for item in body["items"][:3]:
            check_model(item, hub.base)
    elif answer.status_code != 200:
        assert type(body["error"]) is str


@settings(max_examples=60)
@given(st.text(string.hexdigits + "/.%x-", max_size=70))
def test_no_path_is_a_fault_of_ours(hub: Client, text: str) -> None:
    for route in (
        "models",
        "model-versions",
        "model-versions/by-hash",
        "model-versions/mini",
        "download/models",
    ):
        assert hub.http.get(f"/api/v1/{route}/{text}").status_code in (200, 302, 308, 400, 404)
