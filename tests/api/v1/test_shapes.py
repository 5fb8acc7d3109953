"""Every field of every answer has the name and the type that clients are made for."""

from tests.api.v1.items import digest, model, old_model
from tests.api.v1.schema import MINI, Client, check, check_image, check_model, check_release


def test_models_of_a_hub_keep_its_shape(hub: Client) -> None:
    for item in hub.get("models", limit=100, nsfw="true")["items"]:
        check_model(item, hub.base)
    one = hub.get("models/3")
    check_model(one, hub.base, listed=False)
    for version in one["modelVersions"]:
        check_release(hub.get(f"model-versions/{version['id']}"), hub.base)
        check(hub.get(f"model-versions/mini/{version['id']}"), MINI)


def test_models_that_nobody_published_have_it_too(demo: Client) -> None:
    items = demo.get("models", limit=100, nsfw="true")["items"]
    assert len(items) > 20
    for item in items:
        check_model(item, demo.base)
        one = demo.get(f"models/{item['id']}")
        check_model(one, demo.base, listed=False)
        release = demo.get(f"model-versions/{one['modelVersions'][0]['id']}")
        check_release(release, demo.base)
        assert release["modelId"] == item["id"]
        check(demo.get(f"model-versions/mini/{release['id']}"), MINI)
    assert sum(item["id"] > 1_000_000_000 for item in items) > 10
    assert {"Checkpoint", "LORA", "VAE"} <= {item["type"] for item in items}
    bases = {version["baseModel"] for item in items for version in item["modelVersions"]}
    assert {"SD 1.5", "SDXL 1.0"} <= bases
    pictures = [p for item in items for v in item["modelVersions"] for p in v["images"]]
    answer = demo.http.get(pictures[0]["url"])
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/webp"


def test_what_the_hub_said_comes_back(hub: Client) -> None:
    told, found = model(3), hub.get("models/3")
    same = (
        "id",
        "name",
        "description",
        "type",
        "nsfw",
        "nsfwLevel",
        "poi",
        "tags",
        "creator",
        "allowDerivatives",
    )
    assert {name: found[name] for name in same} == {name: told[name] for name in same}
    assert found["allowCommercialUse"] == ["Image", "RentCivit"]
    assert found["stats"] == told["stats"]
    assert [version["id"] for version in found["modelVersions"]] == [30, 31, 32]
    ours, theirs = found["modelVersions"][1], told["modelVersions"][1]
    for name in ("name", "baseModel", "publishedAt", "trainedWords", "index"):
        assert ours[name] == theirs[name]
    assert ours["stats"] == theirs["stats"]
    assert ours["images"] == theirs["images"]
    for mine, said in zip(ours["files"], theirs["files"], strict=True):
        kept = {k: v for k, v in said.items() if k not in ("downloadUrl", "metadata")}
        assert {name: mine[name] for name in kept} == kept
        assert mine["metadata"].items() >= said["metadata"].items()


def test_answers_of_2023_are_told_in_todays_shape(hub: Client) -> None:
    found = hub.get("models/1001")
    assert found["allowCommercialUse"] == ["Image", "RentCivit", "Rent", "Sell"]
    listed = hub.get("models", ids=1001)["items"][0]
    assert listed["allowCommercialUse"] == "{Image,RentCivit,Rent,Sell}"
    assert found["stats"]["favoriteCount"] == 4 and found["stats"]["rating"] == 4.67
    assert found["modelVersions"][0]["publishedAt"] == old_model(1001)["modelVersions"][0]["createdAt"]
    assert [image["nsfwLevel"] for image in found["modelVersions"][0]["images"]] == [1, 8]


def test_images_creators_tags_and_enums(hub: Client) -> None:
    for image in hub.get("images", limit=200, nsfw="X")["items"]:
        check_image(image)
    (first, *_) = hub.get("images", modelVersionId=30)["items"]
    assert (first["id"], first["modelVersionIds"], first["username"]) == (300, [30], "artist3")
    assert first["meta"] == {"prompt": "a teapot 30", "seed": 30}
    for creator in hub.get("creators")["items"]:
        check(creator, {"username": (str,), "modelCount": (int,), "link": (str,), "image": (str, type(None))})
        assert hub.http.get(creator["link"]).json()["items"]
    for tag in hub.get("tags")["items"]:
        check(tag, {"name": (str,), "link": (str,)})
        assert hub.http.get(tag["link"]).json()["items"]
    words = hub.get("enums")
    assert {"ModelType", "ModelFileType", "ActiveBaseModel", "BaseModel", "BaseModelType"} == words.keys()
    assert all(type(word) is str for values in words.values() for word in values)
    assert "LORA" in words["ModelType"] and "SDXL 1.0" in words["BaseModel"]


def test_a_hash_of_any_kind_finds_its_version(hub: Client) -> None:
    for file in hub.get("model-versions/31")["files"]:
        for digits in file["hashes"].values():
            for spelled in (digits, digits.lower()):
                check_release(found := hub.get(f"model-versions/by-hash/{spelled}"), hub.base)
                assert found["id"] == 31
    swapped = bytes.fromhex(digest(31, "crc")[:8])[::-1].hex()
    assert hub.get(f"model-versions/by-hash/{swapped}")["id"] == 31
