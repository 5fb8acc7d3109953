"""Stability Matrix: ``parameters-json`` (settings) and ``smproj`` (the project), beside other texts."""

from dataclasses import replace
from typing import Any

from indexer.domain.generation import UsedModel
from indexer.parsers.generation.draft import Draft, as_float
from indexer.parsers.generation.flat import read_flat
from indexer.parsers.generation.models import is_no_model

__all__ = ["is_project", "is_stability_matrix", "read_project", "read_stability_matrix"]

_SELECTED = {
    "SelectedModelName": "checkpoint",
    "SelectedRefinerName": "checkpoint",
    "SelectedVaeName": "vae",
    "SelectedClip1Name": "text_encoder",
    "SelectedClip2Name": "text_encoder",
    "SelectedClip3Name": "text_encoder",
    "SelectedClip4Name": "text_encoder",
}
_SWITCHES = {
    "SelectedRefinerName": "IsRefinerSelectionEnabled",
    "SelectedVaeName": "IsVaeSelectionEnabled",
}
_MAX_NETWORKS = 1_000


def is_stability_matrix(value: dict[str, Any]) -> bool:
    """True for the object of ``parameters-json``."""
    return "PositivePrompt" in value and ("ModelName" in value or "CfgScale" in value)


def read_stability_matrix(value: dict[str, Any]) -> Draft:
    """The draft of ``parameters-json``."""
    draft = Draft("stability-matrix")
    settings = {key: item for key, item in value.items() if item is not None}
    versions = settings.pop("ExtraNetworkModelVersionIds", None)
    for version in versions[:_MAX_NETWORKS] if isinstance(versions, list) else ():
        draft.use(UsedModel("lora", None, None, str(version)[:20]))
    main = settings.pop("ModelVersionId", None)
    read_flat(settings, draft)
    for place, model in enumerate(draft.models):
        if main and model.kind == "checkpoint":
            draft.models[place] = replace(model, version_id=str(main)[:20])
            break
    return draft


def is_project(value: dict[str, Any]) -> bool:
    """True for the object of ``smproj``."""
    return "ProjectType" in value and isinstance(value.get("State"), dict)


def read_project(value: dict[str, Any]) -> Draft:
    """The models of the project; its prompts and settings stand in ``parameters-json`` too."""
    draft = Draft("stability-matrix")
    card = value["State"].get("Model")
    for key, kind in _SELECTED.items() if isinstance(card, dict) else ():
        name = card.get(key)
        if isinstance(name, str) and not is_no_model(name) and card.get(_SWITCHES.get(key, ""), True):
            draft.use(UsedModel(kind, name))
    networks = card.get("ExtraNetworks") if isinstance(card, dict) else None
    if isinstance(networks, dict) and card and card.get("IsExtraNetworksEnabled"):
        for item in _values(networks)[:_MAX_NETWORKS]:
            name = item.get("SelectedModelName") or item.get("ModelName") if isinstance(item, dict) else None
            if isinstance(name, str) and not is_no_model(name):
                draft.use(UsedModel("lora", name, None, None, as_float(item.get("ModelWeight"))))
    draft.raw["smproj"] = value
    return draft


def _values(value: dict[str, Any]) -> list[Any]:
    items = value.get("$values")
    return items if isinstance(items, list) else []
