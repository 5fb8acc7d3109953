"""CLIP embedding end to end (JPEG on disk to vector in the index), against two peers in the same run.

    scripts/bench embed [--count N] [--model NAME]

End to end is what ``pinakes index`` does when weights are set for a library that is known already: the
picture stage (read, decode, image tower, catalog) and the content index built from the catalog. Style
features and thumbnails were made before and are not in it: ``scripts/bench style`` measures those. The bare
forward pass takes ready tensors, in the same arithmetic, both as torch spreads it over the cores and in lanes
of one thread each; the better one counts. The plain loop opens, preprocesses and encodes one picture after
another, as open_clip's own example does. Weights are random, in a checkpoint on disk: speed does not depend
on them. Rounds of all alternate, so that what else runs on the machine falls on all; CPU milliseconds are
those of all processes together.
"""

import argparse
import io
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.style import Clock, write_small_model
from indexer.catalog import vectors
from indexer.catalog.database import Catalog, open_catalog
from indexer.embedding.decoding import PreviewDecoder, Wanted
from indexer.embedding.descriptors import DESCRIPTORS
from indexer.embedding.semantic import OpenClipEncoder
from indexer.embedding.torchvision_shim import import_open_clip
from indexer.encoders import Encoders
from indexer.indexes.vector_store import build_index
from indexer.progress import Silent
from indexer.reading import judge
from indexer.settings import Settings
from indexer.stages.pictures import embed_pictures
from indexer.stages.scan import scan_root

__all__ = ["Rate", "main"]

ROUNDS = 3
SIZES = ((512, 768), (640, 960), (832, 1216))  # hubs' previews and the pictures they were made from
END_TO_END, PLAIN = "end to end", "plain loop, one by one, float32"


@dataclass(frozen=True, slots=True)
class Rate:
    """Pictures a second, and CPU milliseconds a picture."""

    speed: float
    cost: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; always 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=384, help="pictures a round")
    parser.add_argument("--model", default="ViT-B-32")
    asked = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # open_clip warns that these weights are random: they are meant to be
    with tempfile.TemporaryDirectory(prefix="pinakes-embed-") as work:
        paths = _library(Path(work) / "models", asked.count)
        encoder = OpenClipEncoder(asked.model, _weights(Path(work), asked.model))
        views = _views(paths[: encoder.group], encoder)
        chosen = encoder.tune(views, Path(work) / "arithmetic.json")
        sizes = ", ".join(f"{wide} x {high}" for wide, high in SIZES)
        print(f"{asked.model}, {asked.count} JPEGs of {sizes}, {os.cpu_count()} cores, {chosen}")
        _describe(Path(work))
        rounds = [_round(Path(work), encoder, paths, views) for _ in range(ROUNDS)]
    _tell({name: max((rates[name] for rates in rounds), key=lambda rate: rate.speed) for name in rounds[0]})
    return 0


def _tell(best: dict[str, Rate]) -> None:
    for name, rate in best.items():
        print(f"{name:42}{rate.speed:8.1f} pictures/s{rate.cost:8.1f} CPU ms each")
    whole, plain = best[END_TO_END], best[PLAIN]
    bare = max((rate for name, rate in best.items() if name.startswith("bare")), key=lambda rate: rate.speed)
    print(
        f"end to end against the bare forward pass: {whole.speed / bare.speed:.2f} (bar 0.8); "
        f"by CPU time {bare.cost / whole.cost:.2f}"
    )
    print(f"end to end against the plain loop:        {whole.speed / plain.speed:.2f} (bar 2.5)")


def _round(
    work: Path, encoder: OpenClipEncoder, paths: Sequence[Path], views: Sequence[Any]
) -> dict[str, Rate]:
    parts = encoder.load()
    tower = parts.tower
    ready = [tower.pixels(batch) for batch in tower.batches(views)]
    repeated = ready * max(1, len(paths) // len(views) // 2)
    seen = len(paths[: len(views)]) * (len(repeated) // len(ready))
    some = paths[: max(1, len(paths) // 4)]
    return {
        f"bare, {encoder.arithmetic}, as torch spreads it": _rate(
            seen, lambda: [tower.see(pixels) for pixels in repeated]
        ),
        f"bare, {encoder.arithmetic}, in lanes": _rate(seen, lambda: tower.lanes.each(tower.see, repeated)),
        END_TO_END: _end_to_end(work, encoder, len(paths)),
        PLAIN: _rate(len(some), lambda: _plain(parts, some)),
    }


def _rate(count: int, work: Callable[[], object]) -> Rate:
    before = Clock.now()
    work()
    now = Clock.now()
    return Rate(count / (now.wall - before.wall), 1000 * (now.cpu - before.cpu) / count)


def _end_to_end(work: Path, encoder: OpenClipEncoder, count: int) -> Rate:
    """In a copy of the home folder that knows the library, but no CLIP vector."""
    home = work / "again"
    shutil.copytree(work / "home", home)
    settings = Settings(home=home, decode_workers=os.cpu_count() or 1)
    catalog = open_catalog(settings)
    rate = _rate(count, lambda: _embed(catalog, settings, encoder, count))
    catalog.close()
    shutil.rmtree(home)
    return rate


def _embed(catalog: Catalog, settings: Settings, encoder: OpenClipEncoder, count: int) -> None:
    encoders = Encoders(DESCRIPTORS["style"], DESCRIPTORS["content"], encoder)
    report = embed_pictures(catalog, settings, encoders, Silent())
    key, dimension = encoder.identity.key, encoder.identity.dimension
    with catalog.read() as session:
        rows = vectors.iterate_vectors(session, vectors.space_id(session, key) or 0)
        done = build_index(settings.vector_folder / "content", key, dimension, rows, {})
    if not done == report.embedded == count:
        raise SystemExit(f"{count} pictures, {report.embedded} embedded, {done} in the index: no figure")


def _plain(parts: Any, paths: Sequence[Path]) -> None:
    for path in paths:
        with Image.open(path) as image, parts.torch.inference_mode():
            parts.model.encode_image(parts.preprocess(image)[None])


def _views(paths: Sequence[Path], encoder: OpenClipEncoder) -> list[Any]:
    wanted = Wanted(pixels=False, thumbnail=False, view=encoder.view, colour=False)
    with PreviewDecoder() as decoder:
        return [decoder.decode(path, wanted).view for path in paths]


def _describe(work: Path) -> None:
    """Scan the library and make thumbnails and style features, as for a library known before weights came."""
    settings = Settings(home=work / "home", decode_workers=os.cpu_count() or 1)
    catalog = open_catalog(settings)
    scan_root(work / "models", catalog, settings, Silent(), lambda found: judge(found, 60.0))
    embed_pictures(catalog, settings, Encoders(DESCRIPTORS["style"], DESCRIPTORS["content"], None), Silent())
    catalog.close()


def _library(folder: Path, count: int) -> list[Path]:
    """A model beside each picture: smooth colour with grain, so that a JPEG of usual size comes out."""
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 6, (SIZES[-1][1], SIZES[-1][0], 3))
    paths = []
    for number in range(count):
        wide, high = SIZES[number % len(SIZES)]
        place = folder / f"{number:06}"
        write_small_model(place, number)
        coarse = Image.fromarray(rng.integers(0, 256, (38, 26, 3), np.uint8))
        smooth = np.asarray(coarse.resize((wide, high), Image.Resampling.BICUBIC))
        buffer = io.BytesIO()
        noisy = np.clip(smooth + np.roll(grain, number, 0)[:high, :wide], 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(buffer, "JPEG", quality=88)
        paths.append(place / "model.jpg")
        paths[-1].write_bytes(buffer.getvalue())
    return paths


def _weights(folder: Path, model: str) -> Path:
    from safetensors.torch import save_file

    path = folder / "weights.safetensors"
    save_file(import_open_clip().create_model(model).state_dict(), path)
    return path


if __name__ == "__main__":
    raise SystemExit(main())
