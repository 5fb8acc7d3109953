"""How much of what images say of their making is read?

usage: python -m scripts.evaluations.parameters FOLDER [--list]

FOLDER holds images. What each says is counted apart from our readers and in the simplest way: texts as
Pillow gives them, graphs over all nodes behind an output, models as every value that ends like a model file,
every ``Model:`` and every ``<lora:``. An image counts as read when its record holds a prompt where one is
written, each of seed, steps, sampler and cfg that is named, and every model that is named.
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from indexer.domain.generation import GenerationRecord, model_stem
from indexer.parsers.image_file import parse_image

__all__ = ["Outcome", "evaluate", "main"]

_FILE = re.compile(r".{1,300}\.(?:safetensors|sft|ckpt|pt|pth|gguf|bin)", re.IGNORECASE)
_AIR = re.compile(r"urn:air:\S+@\d+")
_LINE = re.compile(r"(?m)^Steps: \d")
_IN_LINE = {
    "seed": r"\bSeed: \d",
    "steps": r"\bSteps: \d",
    "sampler": r"(?m)(?:^|, )Sampler: \S",
    "cfg": r"\b(?:CFG|Guidance) [sS]cale: \d",
}
_KEYS = {
    "seed": ("seed", "noise_seed"),
    "steps": ("steps", "num_inference_steps"),
    "sampler": ("sampler_name", "sampler"),
    "cfg": ("cfg", "cfg_scale", "cfgscale", "guidance_scale", "cfgScale", "CfgScale", "scale"),
}
_PROMPTS = ("prompt", "positive_prompt", "text", "Prompt", "PositivePrompt", "c", "text_g", "clip_l", "t5xxl")
_MODELS = re.compile(r"(?m)(?:^|, )Model: ([^,\n]+)|<lora:([^:>]+)")
_ENDS = ("save", "preview", "video")
_UTF16 = ("utf-16-be", "utf-16-le")


@dataclass(slots=True)
class Said:
    """What an image says, counted simply."""

    any: bool = False
    prompt: bool = False
    fields: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One image: what it says, and what of it was missed."""

    name: str
    said: Said
    missed: tuple[str, ...]
    generator: str | None


def texts(path: Path) -> Iterator[str]:
    """All texts of an image as Pillow finds them."""
    with Image.open(path) as image:
        found: list[Any] = [value for value in image.info.values() if isinstance(value, str)]
        exif = image.getexif()
        found += [*exif.values(), *exif.get_ifd(0x8769).values()]
    for value in found:
        if isinstance(value, str):
            yield re.sub(r"^(?:prompt|Prompt): ?(?={)", "", value)
        elif isinstance(value, bytes) and value.startswith(b"UNICODE\0"):
            body = value[8:]
            yield max(
                (body.decode(code, "replace") for code in _UTF16),
                key=lambda text: sum(map(str.isascii, text)),
            )
        elif isinstance(value, bytes) and value.startswith(b"ASCII\0\0\0"):
            yield value[8:].decode("utf-8", "replace")


def count(path: Path) -> Said:
    """What an image says."""
    said = Said()
    for text in texts(path):
        if _LINE.search(text) and re.search(r"\bSeed: ", text):
            _count_infotext(text, said)
        elif text.lstrip().startswith("{"):
            try:
                value = json.loads(text)
            except ValueError:
                continue
            if not isinstance(value, dict) or "nodes" in value or "State" in value:
                continue
            _count_object(value, said)
    return said


def _count_infotext(text: str, said: Said) -> None:
    start = [match.start() for match in _LINE.finditer(text)][-1]
    said.any = True
    said.prompt |= bool(text[:start].partition("Negative prompt:")[0].strip())
    said.fields |= {name for name, pattern in _IN_LINE.items() if re.search(pattern, text[start:])}
    for match in _MODELS.finditer(text):
        said.models.add(model_stem(match.group(1) or match.group(2)))


def _count_object(value: dict[str, Any], said: Said) -> None:
    if isinstance(value.get("prompt"), dict):
        value = value["prompt"]
    nodes = {key: node for key, node in value.items() if isinstance(node, dict) and "class_type" in node}
    if nodes:
        _count_graph(nodes, said)
        return
    for name in ("sui_image_params", "Comment"):
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else json.loads(inner) if isinstance(inner, str) else value
    names = {name for name, keys in _KEYS.items() if any(value.get(key) is not None for key in keys)}
    if len(names) < 3:
        return
    said.any = True
    said.fields |= names
    said.prompt |= any(isinstance(value.get(key), str) and value[key].strip() for key in _PROMPTS)
    for key in ("model", "Model", "ModelName", "base_model_name"):
        model = value.get(key)
        model = model.get("name") if isinstance(model, dict) else model
        if isinstance(model, str):
            said.models.add(model_stem(model))


def _count_graph(nodes: dict[str, Any], said: Said) -> None:
    """Values of all nodes behind nodes that are called save, preview or video, or of all nodes."""
    said.any = True
    pending = [key for key, node in nodes.items() if any(end in node["class_type"].lower() for end in _ENDS)]
    seen = set(pending or nodes)
    pending = list(seen)
    for key in pending:
        for name, value in nodes[key].get("inputs", {}).items():
            if isinstance(value, list) and len(value) == 2 and str(value[0]) in nodes:
                if str(value[0]) not in seen:
                    seen.add(str(value[0]))
                    pending.append(str(value[0]))
            elif isinstance(value, str) and (_FILE.fullmatch(value) or _AIR.fullmatch(value)):
                said.models.add(model_stem(value))
            elif name in _PROMPTS and isinstance(value, str) and value.strip():
                said.prompt = True
            said.fields |= {field for field, keys in _KEYS.items() if name in keys}


def _missed(said: Said, record: GenerationRecord | None) -> Iterator[str]:
    if record is None:
        yield "everything"
        return
    if said.prompt and not (record.prompt or "").strip():
        yield "prompt"
    yield from (name for name in sorted(said.fields) if getattr(record, name) is None)
    read = {model_stem(model.name) for model in record.models if model.name}
    yield from (f"model {name}" for name in sorted(said.models - read))


def evaluate(folder: Path) -> Iterator[Outcome]:
    """Count and read every image of a folder."""
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp", ".avif"):
            continue
        try:
            said = count(path)
        except (OSError, UnidentifiedImageError):
            continue
        record = parse_image(path).generation
        missed = tuple(_missed(said, record)) if said.any else ()
        yield Outcome(path.name, said, missed, record.generator if record else None)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print how many images were read, and what was missed in the others."""
    parser = argparse.ArgumentParser(description="How much of images' generation metadata is read?")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--list", action="store_true", help="name every image that was not read whole")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    outcomes = list(evaluate(options.folder))
    seconds = time.perf_counter() - start
    told = [outcome for outcome in outcomes if outcome.said.any]
    faults = Counter(fault.split(" ")[0] for outcome in told for fault in set(outcome.missed))
    print(f"images                   {len(outcomes)}")
    print(f"with metadata            {len(told)}")
    print(f"read whole               {sum(not outcome.missed for outcome in told)}")
    print(f"  prompt                 {_share(told, 'prompt', [o.said.prompt for o in told])}")
    for name in _KEYS:
        print(f"  {name:<22} {_share(told, name, [name in o.said.fields for o in told])}")
    print(f"  every model            {_share(told, 'model', [bool(o.said.models) for o in told])}")
    print(f"generators               {dict(Counter(o.generator for o in told).most_common())}")
    print(f"seconds                  {seconds:.1f}")
    for outcome in told if options.list else ():
        if outcome.missed:
            print(f"{outcome.name}: {', '.join(outcome.missed)}")
    if faults:
        print(f"missed                   {dict(faults)}", file=sys.stderr)


def _share(told: Sequence[Outcome], fault: str, asked: Sequence[bool]) -> str:
    missed = sum(any(m.split(" ")[0] in (fault, "everything") for m in outcome.missed) for outcome in told)
    return f"{sum(asked) - missed} of the {sum(asked)} that have it"


if __name__ == "__main__":
    main()
