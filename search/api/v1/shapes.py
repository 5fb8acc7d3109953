"""Models and versions in the hub's shape: its own statement where it made one, else what we found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from indexer.catalog.published_records import PublishedModel, PublishedVersion
from indexer.domain.vocabulary import read_table
from search.api.v1.file_shapes import download_address, file_items, image_items
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

__all__ = ["Shown", "kind_of", "lies_here", "mini_version", "model_item", "release_item", "version_order"]

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
    said = model.said or {}
    allowed = uses(said.get("allowCommercialUse"), model.entries)
    told = typed(said, "model", _found(model), apart=_APART)
    kind = told["type"]
    return {
        "id": model_number(model),
        "name": _name(model),
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
    about = {
        "name": _name(model),
        **{name: whole[name] for name in ("type", "nsfw", "poi")},
        **({"mode": whole["mode"]} if whole["mode"] else {}),
    }
    head = {name: item.pop(name) for name in ("id",)}
    tail = {name: item.pop(name) for name in ("stats", "files", "images", "downloadUrl")}
    extra = {name: told[name] for name in drop_in()["fields"]["release"] if name != "why"}
    return {**head, "modelId": model_number(model), **item, **extra, "model": about, **tail}


def mini_version(
    model: PublishedModel, version: PublishedVersion, shown: Shown, file: int | None = None
) -> dict[str, Any] | None:
    """The short form of a version, for programs that load models: with its primary file, or that of the
    number ``file``. None when it has no such file."""
    item = release_item(model, version, shown)
    files = item["files"]
    main = next((one for one in files if one["primary"]), files[0] if files else {})
    if file is not None:
        main = next((one for one in files if one["id"] == file), {})
        if not main:
            return None
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
    said = (model.said or {}).get("type")
    return said if isinstance(said, str) else str(typed({}, "model", _found(model))["type"])


def version_order(model: PublishedModel) -> Sequence[PublishedVersion]:
    """Versions as the hub orders them: by its index, else newest first. What nobody told of comes last."""

    def place(version: PublishedVersion) -> tuple[int, str, int]:
        index = (version.said or {}).get("index")
        return (index if type(index) is int else 0, _published(version), version_number(version))

    shown = [version for version in model.versions if version.told]
    if len(shown) < 2:
        return shown
    newest = sorted(shown, key=lambda version: place(version)[1:], reverse=True)
    return sorted(newest, key=lambda version: place(version)[0])


def _published(version: PublishedVersion) -> str:
    said = version.said or {}
    told = (said.get(name) for name in ("publishedAt", "createdAt"))
    known = next((text for text in told if isinstance(text, str)), None)
    return known or moment(version.facts.get("created") or version.added_at)


def _name(model: PublishedModel) -> str:
    for told in (model.said or {}, _copied(model), model.facts):
        name = told.get("name")
        if isinstance(name, str):
            return name
    return model.key


def _found(model: PublishedModel) -> Mapping[str, Any]:
    """What stands where the hub said nothing of a model: a copy of its words, else what was found, which is
    looked up when it is asked for."""
    return {name: partial(find, model) for name, find in _FINDS.items()} | dict(_copied(model))


def _copied(model: PublishedModel) -> Mapping[str, Any]:
    """What a copy of the hub's answer beside a file says of the model."""
    told = (v.said["model"] for v in model.versions if v.said and isinstance(v.said.get("model"), dict))
    return next(told, {})


def _is_hidden(flag: str, model: PublishedModel) -> bool:
    return flag in model.facts.get("hidden", ())


def lies_here(model: PublishedModel) -> bool:
    """Whether a file of any of its versions is in the library."""
    return any("local" in facts["flags"] for facts in model.entries)


def _permits(permission: str, model: PublishedModel) -> bool:
    return any(permission in facts["permissions"] for facts in model.entries)


_FINDS: Mapping[str, Callable[[PublishedModel], Any]] = {
    "description": lambda model: model.facts.get("description") or None,
    "type": lambda model: type_of(model.facts),
    "nsfw": partial(_is_hidden, "adult"),
    "nsfwLevel": lambda model: model.facts.get("nsfw_level"),
    "allowNoCredit": partial(_permits, "no-credit"),
    "allowDerivatives": partial(_permits, "merge"),
    "allowDifferentLicense": partial(_permits, "different-licence"),
    "minor": partial(_is_hidden, "minor"),
    "poi": partial(_is_hidden, "real_person"),
    "supportsGeneration": lies_here,
    "mode": lambda model: drop_in()["modes"].get(model.gone),
    "tags": lambda model: model.facts.get("tags"),
}
"""Fields of a model by what was found; None where nothing was."""


def _creator(said: Mapping[str, Any], model: PublishedModel) -> dict[str, Any]:
    told = said.get("creator")
    if isinstance(told, dict) and isinstance(told.get("username"), str):
        image = told.get("image")
        return {**told, "image": image if isinstance(image, str) else None}
    return {"username": model.creator or model.facts.get("creator") or "", "image": None}


def _numbers(said: Mapping[str, Any], numbers: Mapping[str, Any], always: Sequence[str]) -> dict[str, Any]:
    """Numbers by the hub's names: its present ones always, those of older answers where they are known."""
    known = {
        key: numbers.get(name) or 0
        for name, key in _keys().items()
        if name in always or numbers.get(name) is not None
    }
    left = said.get("stats")
    return {**known, **({k: v for k, v in left.items() if k not in known} if isinstance(left, dict) else {})}


@cache
def _keys() -> Mapping[str, str]:
    """The hub's names of numbers, by ours."""
    rows = read_table("civitai.toml")["statistics"]
    return {name: row["key"] for name, row in rows.items() if name != "why"}


def _version(
    model: PublishedModel, version: PublishedVersion, kind: str, place: int, shown: Shown
) -> dict[str, Any]:
    ours: dict[str, Any] = {
        "index": place,
        "name": lambda: version.facts.get("version") or "v1.0",
        "baseModel": lambda: base_model(version.facts),
        "createdAt": lambda: moment(version.added_at),
        "publishedAt": lambda: _published(version),
        "nsfwLevel": lambda: version.facts.get("nsfw_level"),
        "trainedWords": lambda: version.facts.get("trigger_words"),
        "supportsGeneration": lambda: "local" in version.facts.get("flags", ()),
    }
    told = typed(version.said or {}, "version", ours, apart=_VERSION_APART)
    files = file_items(version, shown.base, primary_only=shown.primary_only)
    primary = next((file for file in files if file["primary"]), None)
    return {
        "id": version_number(version),
        "modelId": model_number(model),
        **told,
        "air": air(model, version, kind, told["baseModel"], (primary or {}).get("type")),
        "stats": _numbers(version.said or {}, version.numbers, _VERSION_NUMBERS),
        "files": files,
        "images": image_items(version, shown.base, shown.levels),
        "downloadUrl": (primary or {}).get("downloadUrl") or download_address(version, shown.base),
    }
