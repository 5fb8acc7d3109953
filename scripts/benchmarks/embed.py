"""CLIP embedding end to end (JPEG on disk to vector in the index), against two peers in the same run.

    scripts/bench embed [--count N] [--model NAME]

The bare forward pass takes ready tensors; the plain loop opens, preprocesses and encodes one picture after
another, as open_clip's own example does. Weights are random: speed does not depend on them. Rounds of the
three alternate, so that what else runs on the machine falls on all.
"""

import argparse
import io
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from indexer.embedding.decoding import Decoded, PreviewDecoder, Request, Wanted
from indexer.embedding.semantic import OpenClipEncoder
from indexer.embedding.torchvision_shim import import_open_clip
from indexer.indexes.vectors import FaissIndex

__all__ = ["main"]

ROUNDS = 3
SIZE = (832, 1216)  # what SDXL models are shown with


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; always 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=64, help="pictures a round")
    parser.add_argument("--model", default="ViT-B-32")
    asked = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # open_clip warns that these weights are random: they are meant to be
    with tempfile.TemporaryDirectory(prefix="pinakes-embed-") as work:
        paths = _pictures(Path(work), asked.count)
        encoder = OpenClipEncoder(asked.model, _weights(Path(work), asked.model))
        views = _views(paths[: encoder.group], encoder)
        chosen = encoder.tune(views, Path(work) / "arithmetic.json")
        print(
            f"{asked.model}, {asked.count} JPEGs of {SIZE[0]} x {SIZE[1]}, {os.cpu_count()} cores, {chosen}"
        )
        rounds = [_round(encoder, asked.model, paths, views) for _ in range(ROUNDS)]
    best = {name: max(rates[name] for rates in rounds) for name in rounds[0]}
    for name, rate in best.items():
        print(f"{name:42}{rate:8.1f} pictures/s")
    whole = best["end to end"]
    bare = best[f"bare forward pass, {chosen}"]
    print(f"end to end against the bare forward pass: {whole / bare:.2f} (bar 0.8)")
    print(f"end to end against the plain loop:        {whole / best['plain loop, one by one']:.2f} (bar 2.5)")
    return 0


def _round(
    encoder: OpenClipEncoder, model: str, paths: Sequence[Path], views: Sequence[Any]
) -> dict[str, float]:
    parts = encoder.load()
    pixels = encoder._pixels(views)
    rates = {}
    for name, tower in (("float32", parts.model.encode_image), (encoder.arithmetic, encoder._seen)):
        before = time.perf_counter()
        with parts.torch.inference_mode():
            for _ in range(max(1, len(paths) // len(views) // 2)):
                tower(pixels)
        done = max(1, len(paths) // len(views) // 2) * len(views)
        rates[f"bare forward pass, {name}"] = done / (time.perf_counter() - before)
    before = time.perf_counter()
    index = FaissIndex("bench", encoder.identity.dimension)
    _embed(encoder, paths, index)
    rates["end to end"] = len(index) / (time.perf_counter() - before)
    before = time.perf_counter()
    some = paths[: max(1, len(paths) // 4)]
    for path in some:
        with Image.open(path) as image, parts.torch.inference_mode():
            parts.model.encode_image(parts.preprocess(image)[None])
    rates["plain loop, one by one"] = len(some) / (time.perf_counter() - before)
    return rates


def _embed(encoder: OpenClipEncoder, paths: Sequence[Path], index: FaissIndex) -> None:
    """As the picture stage does it: workers decode ahead while the image tower runs."""
    wanted = Wanted(pixels=False, thumbnail=False, view=encoder.view)
    waiting: list[tuple[int, Any]] = []
    with PreviewDecoder(workers=os.cpu_count() or 1) as decoder:
        asked = (Request(path, wanted) for path in paths)
        for number, outcome in decoder.decode_many(asked, ahead=4 * encoder.group):
            if isinstance(outcome, Decoded):
                waiting.append((number, outcome.view))
            if len(waiting) == encoder.group:
                _put(encoder, waiting, index)
        if waiting:
            _put(encoder, waiting, index)


def _put(encoder: OpenClipEncoder, waiting: list[tuple[int, Any]], index: FaissIndex) -> None:
    rows = encoder.encode_views([view for _, view in waiting])
    index.put(np.array([number for number, _ in waiting], np.int64), rows)
    waiting.clear()


def _views(paths: Sequence[Path], encoder: OpenClipEncoder) -> list[Any]:
    wanted = Wanted(pixels=False, thumbnail=False, view=encoder.view)
    with PreviewDecoder() as decoder:
        return [decoder.decode(path, wanted).view for path in paths]


def _pictures(folder: Path, count: int) -> list[Path]:
    """Smooth colour with grain, so that a JPEG of usual size comes out."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{number:05}.jpg" for number in range(count)]
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, (38, 26, 3), np.uint8)).resize(
            SIZE, Image.Resampling.BICUBIC
        )
        grain = rng.normal(0, 6, (SIZE[1], SIZE[0], 3))
        buffer = io.BytesIO()
        Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)).save(
            buffer, "JPEG", quality=88
        )
        path.write_bytes(buffer.getvalue())
    return paths


def _weights(folder: Path, model: str) -> Path:
    from safetensors.torch import save_file

    path = folder / "weights.safetensors"
    save_file(import_open_clip().create_model(model).state_dict(), path)
    return path


if __name__ == "__main__":
    raise SystemExit(main())
