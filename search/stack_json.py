"""A stack as plain JSON: what it is made of, by every name and hash that is known, for other programs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from search.stack import Stack
from search.stack_recipe import Ingredient, Recipe

__all__ = ["VERSION", "stack_json"]

VERSION = 1


def stack_json(stack: Stack, recipe: Recipe | None, known: Mapping[str, Ingredient]) -> dict[str, Any]:
    """``{pinakes_stack, verdict, base, addons, parts, prompt, negative_prompt, settings, notes}``.

    ``parts`` are loaded beside the base; they, prompt and settings are None where no graph is known for it.
    """
    drawn: dict[str, Any] = dict.fromkeys(("parts", "prompt", "negative_prompt", "settings"))
    if recipe is not None:
        beside = (*recipe.encoders, *((recipe.vae,) if recipe.vae else ()))
        given = {addon.member.name for addon in stack.addons}
        drawn = {
            "parts": [_told(one) for one in beside if one.name not in given],
            "prompt": recipe.positive,
            "negative_prompt": recipe.negative,
            "settings": asdict(recipe.settings),
        }
    return {
        "pinakes_stack": VERSION,
        "verdict": stack.verdict,
        "base": _told(known[stack.base.name]),
        "addons": [
            _told(known[addon.member.name]) | {"weight": addon.weight.value, "verdict": addon.verdict.verdict}
            for addon in stack.addons
        ],
        **drawn,
        "licence": stack.terms.to_json(),
        "notes": list(recipe.notes) if recipe else [],
    }


def _told(one: Ingredient) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "kind": one.kind,
        "architecture": one.architecture,
        "file": one.file,
        "hashes": dict(one.hashes),
        "trigger_words": list(one.triggers),
        "addresses": list(one.addresses),
        "id": one.id,
        "held": one.held,
    }
