"""The shapes of Civitai's answers, written from its documentation: names and types, nothing of our code."""

from collections.abc import Mapping
from typing import Any

import httpx

TEXT, WHOLE, NUMBER, FLAG = (str,), (int,), (int, float), (bool,)
NOTHING = type(None)
Types = tuple[type, ...]

MODEL: Mapping[str, Types] = {
    "id": WHOLE,
    "name": TEXT,
    "description": (str, NOTHING),
    "type": TEXT,
    "nsfw": FLAG,
    "nsfwLevel": WHOLE,
    "availability": TEXT,
    "supportsGeneration": FLAG,
    "allowNoCredit": FLAG,
    "allowDerivatives": FLAG,
    "allowDifferentLicense": FLAG,
    "minor": FLAG,
    "poi": FLAG,
    "sfwOnly": FLAG,
    "mode": (str, NOTHING),
    "stats": (dict,),
    "creator": (dict,),
    "tags": (list,),
    "modelVersions": (list,),
}
MODEL_STATS = ("downloadCount", "thumbsUpCount", "thumbsDownCount", "commentCount", "tippedAmountCount")
VERSION: Mapping[str, Types] = {
    "id": WHOLE,
    "name": TEXT,
    "baseModel": TEXT,
    "baseModelType": (str, NOTHING),
    "publishedAt": TEXT,
    "supportsGeneration": FLAG,
    "stats": (dict,),
    "files": (list,),
    "images": (list,),
    "downloadUrl": TEXT,
}
RELEASE: Mapping[str, Types] = {
    **VERSION,
    "modelId": WHOLE,
    "description": (str, NOTHING),
    "air": TEXT,
    "status": TEXT,
    "availability": TEXT,
    "nsfwLevel": WHOLE,
    "createdAt": TEXT,
    "updatedAt": TEXT,
    "uploadType": TEXT,
    "usageControl": TEXT,
    "trainedWords": (list,),
    "earlyAccessConfig": (dict, NOTHING),
    "earlyAccessEndsAt": (str, NOTHING),
    "trainingStatus": (str, NOTHING),
    "trainingDetails": (dict, NOTHING),
    "model": (dict,),
}
FILE: Mapping[str, Types] = {
    "id": WHOLE,
    "name": TEXT,
    "type": TEXT,
    "sizeKB": NUMBER,
    "hashes": (dict,),
    "downloadUrl": TEXT,
    "primary": FLAG,
    "metadata": (dict,),
    "pickleScanResult": TEXT,
    "virusScanResult": TEXT,
}
HASHES = {"AutoV1": 8, "AutoV2": 10, "AutoV3": 12, "SHA256": 64, "CRC32": 8, "BLAKE3": 64}
PICTURE: Mapping[str, Types] = {
    "id": WHOLE,
    "url": TEXT,
    "nsfwLevel": WHOLE,
    "width": WHOLE,
    "height": WHOLE,
    "hash": (str, NOTHING),
    "type": TEXT,
    "meta": (dict, NOTHING),
}
IMAGE: Mapping[str, Types] = {
    **PICTURE,
    "nsfw": FLAG,
    "nsfwLevel": TEXT,
    "browsingLevel": WHOLE,
    "createdAt": TEXT,
    "postId": (int, NOTHING),
    "username": (str, NOTHING),
    "baseModel": TEXT,
    "modelVersionIds": (list,),
    "stats": (dict,),
}
IMAGE_STATS = ("cryCount", "laughCount", "likeCount", "dislikeCount", "heartCount", "commentCount")
MINI: Mapping[str, Types] = {
    "air": TEXT,
    "versionName": TEXT,
    "modelName": TEXT,
    "baseModel": TEXT,
    "availability": TEXT,
    "publishedAt": TEXT,
    "size": NUMBER,
    "fileType": TEXT,
    "fileName": TEXT,
    "hashes": (dict,),
    "downloadUrls": (list,),
    "format": (str, NOTHING),
    "canGenerate": FLAG,
    "isFeatured": FLAG,
    "requireAuth": FLAG,
    "checkPermission": FLAG,
    "earlyAccessEndsAt": (str, NOTHING),
    "freeTrialLimit": (int, NOTHING),
    "additionalResourceCharge": FLAG,
    "minor": FLAG,
    "sfwOnly": FLAG,
}


def check(value: Any, shape: Mapping[str, Types]) -> None:
    """An object has all fields of a shape, each of its type; a flag is no number."""
    for name, types in shape.items():
        assert name in value, f"{name} is missing"
        assert type(value[name]) in types, f"{name} is {value[name]!r}"


def check_model(model: Any, base: str, *, listed: bool = True) -> None:
    check(model, MODEL)
    assert type(model["allowCommercialUse"]) is (str if listed else list)
    if listed:
        assert model["allowCommercialUse"][0] + model["allowCommercialUse"][-1] == "{}"
    assert all(type(model["stats"][name]) is int for name in MODEL_STATS)
    assert type(model["creator"]["username"]) is str
    assert all(type(tag) is str for tag in model["tags"])
    for version in model["modelVersions"]:
        check(version, VERSION)
        _check_parts(version, base)


def check_release(release: Any, base: str) -> None:
    check(release, RELEASE)
    assert "creator" not in release
    check(release["model"], {"name": TEXT, "type": TEXT, "nsfw": FLAG, "poi": FLAG})
    assert release["air"].startswith("urn:air:") and release["air"].endswith(f"@{release['id']}")
    _check_parts(release, base)


def _check_parts(version: Any, base: str) -> None:
    assert version["downloadUrl"].startswith(f"{base}/api/download/models/{version['id']}")
    assert len([file for file in version["files"] if file["primary"]]) <= 1
    for file in version["files"]:
        check(file, FILE)
        assert file["downloadUrl"].startswith(f"{base}/api/download/models/{version['id']}")
        for name, digits in file["hashes"].items():
            assert len(digits) == HASHES[name] and digits == digits.upper()
            int(digits, 16)
        assert {"format", "size", "fp"} <= file["metadata"].keys()
    for image in version["images"]:
        check(image, PICTURE)


def check_image(image: Any) -> None:
    check(image, IMAGE)
    assert image["nsfwLevel"] in ("None", "Soft", "Mature", "X", "Blocked")
    assert all(type(image["stats"][name]) is int for name in IMAGE_STATS)
    assert all(type(number) is int for number in image["modelVersionIds"])


class Client:
    """A client of Civitai that knows its documentation alone; only its base URL is set."""

    def __init__(self, base: str, key: str | None = None) -> None:
        self.base = base
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.http = httpx.Client(base_url=base, timeout=60, trust_env=False, headers=headers)

    def get(self, route: str, **params: Any) -> Any:
        answer = self.http.get(f"/api/v1/{route}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, route: str, **params: Any) -> tuple[int, str]:
        answer = self.http.get(f"/api/v1/{route}", params=params)
        error = answer.json()["error"]
        assert type(error) is str and error
        return answer.status_code, error

    def post(self, route: str, body: Any) -> httpx.Response:
        return self.http.post(f"/api/v1/{route}", json=body)

    def pages(self, route: str, **params: Any) -> list[list[Any]]:
        """All pages, on by the cursor to the end."""
        found: list[list[Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.get(route, **params, **cursor)
            found.append(page["items"])
            if "nextCursor" not in page["metadata"]:
                return found
            cursor = {"cursor": page["metadata"]["nextCursor"]}
            assert len(found) < 1_000
