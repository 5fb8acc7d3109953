"""Preview pictures as files: their names, their formats, and what they say of how they were made."""

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from indexer.demo.cast import Cast, Part
from indexer.demo.metadata import base_part
from indexer.demo.sidecars import Stored

__all__ = ["Picture", "pictures_of", "save"]

_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_NEGATIVE = "blurry, low quality, watermark"


@dataclass(frozen=True, slots=True)
class Picture:
    """One preview: ``path`` below the models folder; which ``subject`` in which ``style``, seen how."""

    path: str
    style: str
    subject: str
    variant: int
    text: str = ""
    graph: str = ""


def pictures_of(part: Part, stored: Stored, cast: Cast, variants: list[int]) -> list[Picture]:
    """The previews of one model, named by its tool's habit, each with A1111's or ComfyUI's record."""
    names = cast.naming[part.naming]
    comfy = part.kind == "diffusion_model" or part.trainer in ("ai-toolkit", "musubi")
    found = []
    for n, ((style, subject), variant) in enumerate(zip(part.drawn, variants, strict=True)):
        name = names["first" if n == 0 else "more"].format(stem=part.stem, n=n)
        prompt = _prompt(part, style, subject, cast)
        found.append(
            Picture(
                f"{part.folder}/{name}",
                style,
                subject,
                variant,
                "" if comfy else _parameters(part, stored, prompt, n, cast),
                _graph(part, prompt, n, cast) if comfy else "",
            )
        )
    return found


def _prompt(part: Part, style: str, subject: str, cast: Cast) -> str:
    lead = [f"<lora:{part.stem}:0.8>"] if part.kind == "lora" else []
    return ", ".join([*lead, *part.trigger, cast.subjects[subject]["words"], cast.styles[style]["words"]])


def _parameters(part: Part, stored: Stored, prompt: str, n: int, cast: Cast) -> str:
    model = part if part.kind == "checkpoint" else base_part(part, cast)
    settings = ["Steps: 28", "Sampler: DPM++ 2M", "Schedule type: Karras", "CFG scale: 6"]
    settings += [f"Seed: {part.number % 4_000_000 + n}", "Size: 512x512"]
    if model:
        settings.append(f"Model: {model.stem}")
    if part.kind == "lora" and stored.autov3:
        settings.append(f'Lora hashes: "{part.stem}: {stored.autov3[:12]}"')
    return f"{prompt}\nNegative prompt: {_NEGATIVE}\n{', '.join([*settings, 'Version: v1.10.1'])}"


def _graph(part: Part, prompt: str, n: int, cast: Cast) -> str:
    """A text-to-image graph in ComfyUI's API form: node id, class, inputs; links are ``[node, output]``."""
    base = part if part.kind == "diffusion_model" else base_part(part, cast)
    weights = base.path.partition("/")[2] if base else "base.safetensors"
    text = prompt.partition(">, ")[2] or prompt
    nodes: dict[str, tuple[str, dict[str, object]]] = {
        "1": ("UNETLoader", {"unet_name": weights, "weight_dtype": "default"}),
        "2": ("CLIPLoader", {"clip_name": "t5xxl_fp8_e4m3fn.safetensors", "type": "flux"}),
        "3": ("VAELoader", {"vae_name": "quicksilver_ae.safetensors"}),
        "4": (
            "LoraLoaderModelOnly",
            {"model": ["1", 0], "lora_name": part.path.partition("/")[2], "strength_model": 0.8},
        ),
        "5": ("CLIPTextEncode", {"clip": ["2", 0], "text": text}),
        "6": ("CLIPTextEncode", {"clip": ["2", 0], "text": _NEGATIVE}),
        "7": ("EmptySD3LatentImage", {"width": 512, "height": 512, "batch_size": 1}),
        "9": ("VAEDecode", {"samples": ["8", 0], "vae": ["3", 0]}),
        "10": ("SaveImage", {"images": ["9", 0], "filename_prefix": part.stem}),
    }
    if part.kind != "lora":
        del nodes["4"]
    sampling = {
        "seed": part.number % 4_000_000 + n,
        "steps": 20,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "denoise": 1.0,
    }
    links = {
        "model": ["4" if "4" in nodes else "1", 0],
        "positive": ["5", 0],
        "negative": ["6", 0],
        "latent_image": ["7", 0],
    }
    nodes["8"] = ("KSampler", {**links, **sampling})
    return json.dumps(
        {key: {"class_type": kind, "inputs": inputs} for key, (kind, inputs) in sorted(nodes.items())}
    )


def save(image: Image.Image, picture: Picture, path: Path) -> None:
    """Write the picture in the format its name tells, with its record. Raises ``OSError``."""
    if path.suffix == ".png":
        info = PngInfo()
        for key, text in (("parameters", picture.text), ("prompt", picture.graph)):
            if text:
                info.add_text(key, text)
        image.save(path, pnginfo=info, compress_level=1)
        return
    exif = Image.Exif()
    if picture.text:
        exif.get_ifd(_EXIF_IFD)[_USER_COMMENT] = b"UNICODE\0" + picture.text.encode("utf-16-be")
    image.save(path, quality=88, exif=exif)
