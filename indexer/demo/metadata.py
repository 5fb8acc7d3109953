"""What the writers of the cast put into a file's header: the vocabularies of the trainers, as text.

Keys are those of kohya's sd-scripts and musubi-tuner (``ss_*``), Stability's ModelSpec 1.0 (``modelspec.*``),
ai-toolkit and PEFT. All values are text; several are JSON in text.
"""

import json
from collections.abc import Callable, Mapping

from indexer.demo.cast import Cast, Part

__all__ = ["base_part", "header_metadata", "published", "tags_of"]

_BASE_KINDS = ("checkpoint", "diffusion_model")
_LYCORIS = {"loha": "loha", "lokr": "lokr", "locon": "locon", "dora": "locon"}
_MUSUBI = {"klein": "networks.lora_flux_2", "wan": "networks.lora_wan", "z-ima": "networks.lora_zimage"}


def base_part(part: Part, cast: Cast) -> Part | None:
    """The base model of the library that this part was made for, if it is in the cast."""
    fitting = (p for p in cast.parts if p.kind in _BASE_KINDS and p.base == part.base and p is not part)
    return next(fitting, None) if part.base else None


def published(part: Part) -> str:
    """When the part came out (ISO 8601): a day of 2025, the same each time."""
    day = part.number % 336
    return f"2025-{day // 28 + 1:02d}-{day % 28 + 1:02d}T{part.number % 24:02d}:15:00.000Z"


def tags_of(part: Part, cast: Cast) -> list[str]:
    """The hub's tags: the category first, then the part's own, its style's, or its subject's for a motif."""
    found = [part.category] if part.category else []
    found += part.tags
    if part.style:
        found += cast.styles[part.style]["tags"]
    elif part.subjects and not part.real_person and part.nsfw_level < 4:
        found += cast.subjects[part.subjects[0]]["tags"]
    return list(dict.fromkeys(found))


def header_metadata(part: Part, cast: Cast) -> dict[str, str]:
    """``__metadata__`` of a safetensors file; empty where the writer leaves none."""
    if part.form in ("adapter", "truncated"):
        return _TRAINERS[part.trainer](part, cast)
    if part.kind == "checkpoint":
        return {"format": "pt", **_modelspec(part, cast, "")}
    return {"format": "pt"} if part.form == "recipe" else {}


def _modelspec(part: Part, cast: Cast, suffix: str) -> dict[str, str]:
    base = cast.bases[part.base or "sdxl"]
    resolution = base["resolution"]
    found = {
        "sai_model_spec": "1.0.1",
        "architecture": base["modelspec"] + suffix,
        "implementation": "https://github.com/Stability-AI/generative-models",
        "title": f"{part.name} {part.version}",
        "author": part.creator,
        "date": published(part)[:19],
        "license": base["licence"],
        "resolution": f"{resolution}x{resolution}",
        "tags": ", ".join(tags_of(part, cast)),
    }
    if part.trigger:
        found["trigger_phrase"] = ", ".join(part.trigger)
    if part.recipe == "sdxl-vpred":
        found["prediction_type"] = "v"
    return {f"modelspec.{key}": value for key, value in found.items()}


def _tag_frequency(part: Part, cast: Cast) -> str:
    """Captions counted as sd-scripts does: data set folder, tag, number of pictures."""
    counts = dict.fromkeys(part.trigger, 40)
    for place, (style, subject) in enumerate(part.drawn):
        words = [*cast.subjects[subject]["tags"], *(cast.styles[style]["tags"] if part.style else ())]
        for rank, word in enumerate(words):
            counts[word] = max(counts.get(word, 0), 34 - 5 * place - 3 * rank)
    return json.dumps({f"10_{part.stem.lower()}": {word: n for word, n in counts.items() if n > 0}})


def _ss(part: Part, cast: Cast, module: str, args: Mapping[str, str]) -> dict[str, str]:
    base, model = cast.bases[part.base or "sdxl"], base_part(part, cast)
    alpha = part.rank / 2 if part.alpha is None else part.alpha
    steps = 1200 + part.number % 9 * 200
    found = {
        "base_model_version": base["kohya"],
        "network_module": module,
        "network_dim": str(part.rank),
        "network_alpha": str(alpha),
        "network_args": json.dumps(args) if args else "None",
        "output_name": part.stem,
        "sd_model_name": model.path.rpartition("/")[2] if model else "None",
        "v2": str(part.base == "sd2"),
        "resolution": f"({base['resolution']}, {base['resolution']})",
        "num_train_images": "40",
        "num_epochs": "10",
        "steps": str(steps),
        "max_train_steps": str(steps),
        "learning_rate": "0.0001",
        "optimizer": "torch.optim.adamw.AdamW",
        "mixed_precision": "bf16",
        "clip_skip": "2" if part.base == "sd1" else "None",
        "seed": str(part.number % 10000),
        "training_comment": part.note,
    }
    return {f"ss_{key}": value for key, value in found.items()}


def _kohya(part: Part, cast: Cast) -> dict[str, str]:
    algorithm = _LYCORIS.get(part.adapter)
    module = (
        "lycoris.kohya" if algorithm else "networks.lora_flux" if part.target == "flux1" else "networks.lora"
    )
    args = {"algo": algorithm, "preset": "attn-mlp"} if algorithm else {}
    if part.adapter == "dora":
        args["dora_wd"] = "True"
    found = _ss(part, cast, module, args)
    found["ss_tag_frequency"] = _tag_frequency(part, cast)
    return {**found, **_modelspec(part, cast, "/lora")}


def _musubi(part: Part, cast: Cast) -> dict[str, str]:
    module = next(
        (m for start, m in _MUSUBI.items() if (part.target or "").startswith(start)), "networks.lora"
    )
    if part.adapter in ("loha", "lokr"):
        module = f"networks.{part.adapter}"
    return {**_ss(part, cast, module, {}), **_modelspec(part, cast, "/lora")}


def _toolkit(part: Part, cast: Cast) -> dict[str, str]:
    steps = 2000 + part.number % 5 * 250
    software = {"name": "ai-toolkit", "repo": "https://github.com/ostris/ai-toolkit", "version": "0.6.3"}
    return {
        "format": "pt",
        "name": part.stem,
        "version": "1.0",
        "ss_base_model_version": cast.bases[part.base or "sdxl"]["toolkit"],
        "ss_output_name": part.stem,
        "software": json.dumps(software),
        "training_info": json.dumps({"step": steps, "epoch": steps // 40}),
    }


def _diffusers(part: Part, cast: Cast) -> dict[str, str]:
    target = cast.targets[part.target or ""]
    keys = ["to_k", "to_out.0", "to_q", "to_v"]
    config = {
        "r": part.rank,
        "lora_alpha": part.rank,
        "target_modules": keys,
        "use_dora": False,
        "use_rslora": False,
    }
    prefix = target["prefix"]
    return {
        "format": "pt",
        "lora_adapter_metadata": json.dumps({prefix + key: value for key, value in config.items()}),
    }


def _none(part: Part, cast: Cast) -> dict[str, str]:
    return {}


_TRAINERS: Mapping[str, Callable[[Part, Cast], dict[str, str]]] = {
    "kohya": _kohya,
    "musubi": _musubi,
    "ai-toolkit": _toolkit,
    "diffusers": _diffusers,
    "none": _none,
}
