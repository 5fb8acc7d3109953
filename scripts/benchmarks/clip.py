"""Milliseconds a picture and a text of open_clip's architectures on this CPU, for docs/clip.md.

    scripts/bench clip [MODEL …]

Weights are random: speed does not depend on them. CPU milliseconds of one thread, as a lane of indexing runs,
the best of three rounds; int8 where it keeps the vectors (see ``precision``). Joined with published retrieval
figures where ``RETRIEVAL`` has some: the share of texts of Flickr30k and of MSCOCO that find their picture
among the first five, by open_clip's own table (docs/openclip_retrieval_results.csv of its repository).
"""

import argparse
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from indexer.embedding.encoders import VectorIdentity
from indexer.embedding.precision import quantised
from indexer.embedding.torchvision_shim import import_open_clip
from indexer.embedding.tower import ImageTower

__all__ = ["main"]

RETRIEVAL = {  # model: its best tag that is published as safetensors, R@5 of Flickr30k and of MSCOCO
    "ViT-B-32": ("laion2b_s34b_b79k", 88.4, 65.4),
    "ViT-B-32-256": ("datacomp_s34b_b86k", 87.2, 65.4),
    "ViT-B-32-quickgelu": ("metaclip_fullcc", 87.7, 64.1),
    "ViT-B-16": ("laion2b_s34b_b88k", 90.4, 67.7),
    "EVA02-B-16": ("merged2b_s8b_b131k", 91.1, 66.9),
    "convnext_base_w": ("laion2b_s13b_b82k", 91.5, 68.0),
    "ViT-B-16-SigLIP": ("webli", 92.3, 72.4),
    "ViT-L-14": ("laion2b_s32b_b82k", 92.9, 71.1),
}
UNRATED = ("MobileCLIP-S1", "MobileCLIP-S2")
ROUNDS, PICTURES = 3, 8


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a model; always 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="*", help="open_clip model names; all of the table when absent")
    asked = parser.parse_args(arguments).models or [*RETRIEVAL, *UNRATED]
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    head = ("float32 ms", "int8 ms", "text ms", "Flickr R@5", "COCO R@5")
    print(f"{'model':22}{'weights':22}" + "".join(f"{name:>12}" for name in head))
    for name in asked:
        print(_line(name), flush=True)
    return 0


def _line(name: str) -> str:
    open_clip = import_open_clip()
    import torch

    torch.set_num_threads(1)
    model = open_clip.create_model(name).eval()
    config = open_clip.get_model_config(name)
    settings = open_clip.get_model_preprocess_cfg(model)
    identity = VectorIdentity("semantic", name, "", "", 1, int(config["embed_dim"]))
    tower = ImageTower(torch, model, model.encode_image, identity, settings, "cpu", name)
    side = tower.view.side if tower.view else 224
    noise = np.random.default_rng(0).integers(0, 256, (PICTURES, side, side, 3), np.uint8)
    pixels = tower.pixels(list(noise))
    context = int(config["text_cfg"].get("context_length", 77))
    tokens = torch.randint(1, 1_000, (1, context))
    small = quantised(torch, model)
    with torch.inference_mode():
        full = _milliseconds(lambda: model.encode_image(pixels)) / PICTURES
        eight = _milliseconds(lambda: small(pixels)) / PICTURES
        text = _milliseconds(lambda: model.encode_text(tokens))
    tag, flickr, coco = RETRIEVAL.get(name, ("", float("nan"), float("nan")))
    return f"{name:22}{tag:22}{full:12.1f}{eight:12.1f}{text:12.1f}{flickr:12.1f}{coco:12.1f}"


def _milliseconds(work: Callable[[], Any]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
    return 1000 * best


if __name__ == "__main__":
    raise SystemExit(main())
