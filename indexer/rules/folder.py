"""Several components that are one model: each is identified alone, the denoiser decides for all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from indexer.domain.programs import worst_program
from indexer.domain.verdict import Evidence, Verdict
from indexer.domain.vocabulary import read_table

__all__ = ["combine", "main_component"]

_DENOISER = "diffusion_model"
_CHECKPOINT = "checkpoint"


def _denoisers() -> list[str]:
    names: list[str] = read_table("diffusers.toml")["denoisers"]["names"]
    return names


def main_component(kinds: Mapping[str, str]) -> str:
    """The component that decides, of component name -> kind: the network that draws, else the first.

    Its tensors tell; where they are of no known model, its name does.
    """
    named = [name for name in _denoisers() if name in kinds]
    drawing = [name for name in (*named, *kinds) if kinds[name] == _DENOISER]
    return next(iter((*drawing, *named, *kinds)))


def combine(verdicts: Mapping[str, Verdict], prediction: str | None = None) -> Verdict:
    """One verdict for a pipeline of several components; ``prediction`` is what its scheduler says.

    A denoiser in such company is a checkpoint. ``components`` lists the others as in all-in-one files:
    ``vae``, ids of text encoders, names of what is not known. Counts are those of all components together.
    """
    name = main_component({name: verdict.kind for name, verdict in verdicts.items()})
    main = verdicts[name]
    draws = main.kind == _DENOISER or name in _denoisers()
    kind = _CHECKPOINT if draws else main.kind
    others = {other: verdict for other, verdict in verdicts.items() if other != name}
    dtypes: Counter[str] = Counter()
    for verdict in verdicts.values():
        dtypes.update(verdict.dtypes)
    inside = {verdict.kind for verdict in others.values()}
    return replace(
        main,
        kind=kind,
        confidence=main.confidence or (0.5 if draws else 0.0),
        evidence=(*main.evidence, Evidence("diffusers-folder", f"a folder of {', '.join(verdicts)}")),
        conflicts=tuple(
            replace(c, found=kind) if c.found == main.kind else c for c in main.conflicts if c.claim != kind
        ),
        dtypes=dict(sorted(dtypes.items(), key=lambda item: (-item[1], item[0]))),
        parameters=sum(verdict.parameters or 0 for verdict in verdicts.values()),
        tensors=sum(verdict.tensors for verdict in verdicts.values()),
        prediction_type=main.prediction_type or prediction,
        components=tuple(dict.fromkeys(_inside(other, verdict) for other, verdict in others.items())),
        program=worst_program(verdict.program for verdict in verdicts.values()),
        needs=tuple(need for need in main.needs if need.part not in inside),
    )


def _inside(name: str, verdict: Verdict) -> str:
    if verdict.kind == "vae":
        return "vae"
    return (verdict.architecture or name) if verdict.kind in ("text_encoder", "clip_vision") else name
