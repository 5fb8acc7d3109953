"""Models and versions in the hub's shape: its own statement where it made one, else what we found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from indexer.catalog.published_records import PublishedModel, PublishedVersion
from indexer.domain.vocabulary import read_table
from search.api.v1.file_shapes import file_items, image_items
from search.api.v1.naming import (
    air,
    base_model,
    drop_in,
    model_number,
    moment,
    type_of,
    uses,
    version_number,
)
from search.api.v1.typed import typed

__all__ = ["Shown", "kind_of", "mini_version", "model_item", "release_item", "version_order"]

_MODEL_NUMBERS: Final = ("downloads", "thumbs_up", "thumbs_down", "comments", "tips")
_VERSION_NUMBERS: Final = ("downloads", "thumbs_up", "thumbs_down")
_APART = ("modelVersions", "creator", "stats", "id", "name", "allowCommercialUse")
_VERSION_APART = ("files", "images", "stats", "model", "modelId", "creator", "downloadUrl")


@dataclass(frozen=True, slots=True)
class Shown:
    """How models are shown: ``base`` is the address that was asked, without a slash at its end. ``listed``:
    as an item of a listing. ``levels`` is the mask of image levels that may be shown."""

    base: str
    listed: bool = True
    primary_only: bool = False
    levels: int = 31


def model_item(model: PublishedModel, shown: Shown) -> dict[str, Any]:
    """A model with its versions."""
    said = dict(model.said or {})
    ours = _found(model)
    allowed = uses(said.get("allowCommercialUse"), model.documents)
    told = typed(said, "model", ours, apart=_APART)
    kind = told["type"]
    return {
        "id": model_number(model),
        "name": said["name"] if isinstance(said.get("name"), str) else ours["name"],
        **told,
        "allowCommercialUse": f"{{{','.join(allowed)}}}" if shown.listed else allowed,
        "stats": _numbers(said, model.numbers, _MODEL_NUMBERS),
        "creator": _creator(said, model),
        "modelVersions": [
            _version(model, version, kind, place, shown) for place, version in enumerate(version_order(model))
        ],
    }


def release_item(model: PublishedModel, version: PublishedVersion, shown: Shown) -> dict[str, Any]:
    """A version asked for alone: it names its model, without creator and full numbers."""
    whole = typed(model.said or {}, "model", _found(model))
    place = version_order(model).index(version)
    item = _version(model, version, whole["type"], place, shown)
    told = typed(version.said or {}, "release", {"updatedAt": lambda: _published(version)})
    named = model.said or {}
    about = {
        "name": named["name"] if isinstance(named.get("name"), str) else _found(model)["name"],
        **{name: whole[name] for name in ("type", "nsfw", "poi")},
        **({"mode": whole["mode"]} if whole["mode"] else {}),
    }
    head = {name: item.pop(name) for name in ("id",)}
    tail = {name: item.pop(name) for name in ("stats", "files", "images", "downloadUrl")}
    extra = {name: told[name] for name in drop_in()["fields"]["release"] if name != "why"}
    return {**head, "modelId": model_number(model), **item, **extra, "model": about, **tail}


def mini_version(model: PublishedModel, version: PublishedVersion, shown: Shown) -> dict[str, Any]:
    """The short form of a version, for programs that load models."""
    item = release_item(model, version, shown)
    files = item["files"]
    main = next((file for file in files if file["primary"]), files[0] if files else {})
    whole = typed(model.said or {}, "model", _found(model))
    return {
        "air": item["air"],
        "versionName": item["name"],
        "modelName": item["model"]["name"],
        "baseModel": item["baseModel"],
        "availability": item["availability"],
        "publishedAt": item["publishedAt"],
        "size": main.get("sizeKB", 0),
        "fileType": main.get("type", "Model"),
        "fileName": main.get("name", ""),
        "hashes": main.get("hashes", {}),
        "downloadUrls": [main["downloadUrl"]] if main else [],
        "format": main.get("metadata", {}).get("format"),
        "canGenerate": item["supportsGeneration"],
        "isFeatured": False,
        "requireAuth": False,
        "checkPermission": False,
        "earlyAccessEndsAt": item["earlyAccessEndsAt"],
        "freeTrialLimit": None,
        "additionalResourceCharge": False,
        "minor": whole["minor"],
        "sfwOnly": whole["sfwOnly"],
    }


def kind_of(model: PublishedModel) -> str:
    """The hub's type of a model."""
    return str(typed(model.said or {}, "model", _found(model))["type"])


def version_order(model: PublishedModel) -> Sequence[PublishedVersion]:
    """Versions as the hub orders them: by its index, else newest first. What nobody told of comes last."""

    def place(version: PublishedVersion) -> tuple[int, str, int]:
        index = (version.said or {}).get("index")
        return (index if type(index) is int else 0, _published(version), version_number(version))

    shown = [v for v in model.versions if v.said is not None or v.document is not None]
    newest = sorted(shown, key=lambda version: place(version)[1:], reverse=True)
    return sorted(newest, key=lambda version: place(version)[0])


def _published(version: PublishedVersion) -> str:
    said = version.said or {}
    told = (said.get(name) for name in ("publishedAt", "createdAt"))
    known = next((text for text in told if isinstance(text, str)), None)
    return known or moment((version.document and version.document.created) or version.added_at)


def _found(model: PublishedModel) -> dict[str, Any]:
    """What stands where the hub said nothing of a model."""
    document = next(iter(model.documents), None)
    copied: Mapping[str, Any] = next(
        (v.said["model"] for v in model.versions if v.said and _names_model(v.said)), {}
    )
    if document is None:
        return {"name": str(copied.get("name") or model.key), **copied}
    permits = {permission for one in model.documents for permission in one.permissions}
    return {
        "name": document.name,
        "description": document.description or None,
        "type": type_of(document),
        "nsfw": "adult" in document.hidden,
        "nsfwLevel": document.nsfw_level or 0,
        "allowNoCredit": "no-credit" in permits,
        "allowDerivatives": "merge" in permits,
        "allowDifferentLicense": "different-licence" in permits,
        "minor": "minor" in document.hidden,
        "poi": "real_person" in document.hidden,
        "mode": drop_in()["modes"].get(model.gone),
        "tags": list(document.tags),
    } | dict(copied)


def _names_model(said: Mapping[str, Any]) -> bool:
    return isinstance(said.get("model"), dict)


def _creator(said: Mapping[str, Any], model: PublishedModel) -> dict[str, Any]:
    told = said.get("creator")
    if isinstance(told, dict) and isinstance(told.get("username"), str):
        image = told.get("image")
        return {**told, "image": image if isinstance(image, str) else None}
    document = next(iter(model.documents), None)
    return {"username": model.creator or (document and document.creator) or "", "image": None}


def _numbers(said: Mapping[str, Any], numbers: Mapping[str, Any], always: Sequence[str]) -> dict[str, Any]:
    """Numbers by the hub's names: its present ones always, those of older answers where they are known."""
    rows = read_table("civitai.toml")["statistics"]
    known = {
        rows[name]["key"]: numbers.get(name) or 0
        for name in rows
        if name != "why" and (name in always or numbers.get(name) is not None)
    }
    left = said.get("stats")
    return {**known, **({k: v for k, v in left.items() if k not in known} if isinstance(left, dict) else {})}


def _version(
    model: PublishedModel, version: PublishedVersion, kind: str, place: int, shown: Shown
) -> dict[str, Any]:
    document = version.document
    ours: dict[str, Any] = {
        "index": place,
        "name": (document and document.version) or "v1.0",
        "baseModel": lambda: base_model(document),
        "createdAt": lambda: moment(version.added_at),
        "publishedAt": lambda: _published(version),
        "nsfwLevel": (document and document.nsfw_level) or 0,
        "description": None,
        "trainedWords": lambda: list(document.trigger_words) if document else [],
    }
    told = typed(version.said or {}, "version", ours, apart=_VERSION_APART)
    files = file_items(version, shown.base, primary_only=shown.primary_only)
    primary = next((file for file in files if file["primary"]), None)
    number = version_number(version)
    return {
        "id": number,
        **told,
        "air": air(model, version, kind, told["baseModel"]),
        "stats": _numbers(version.said or {}, version.numbers, _VERSION_NUMBERS),
        "files": files,
        "images": image_items(version, shown.base, shown.levels),
        "downloadUrl": (primary or {}).get("downloadUrl") or f"{shown.base}/api/download/models/{number}",
    }
