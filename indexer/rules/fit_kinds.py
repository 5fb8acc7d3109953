"""Does a VAE, encoder, control model, image adapter, embedding … work on a base?

Each kind has one thing that must agree: latent channels, the encoders that the base reads, widths. What the
tensors cannot tell is left to the architecture that the file was found to be for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from indexer.domain.compatibility import fit_score
from indexer.domain.fit import FitProfile, FitVerdict, Subject
from indexer.domain.vocabulary import read_table
from indexer.rules.fit_answers import (
    by_architecture,
    fits,
    fits_not,
    fits_partly,
    titles_of,
    unclear,
    word_of,
)
from indexer.rules.fit_base import BaseTable
from indexer.rules.fit_beside import fit_control, fit_image_adapter, fit_motion, fit_redux
from indexer.rules.fit_words import title_of
from indexer.rules.needs import encoders_of, needs_of

__all__ = ["fit_kind"]


def fit_kind(
    addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject
) -> FitVerdict | None:
    """The verdict on a file of another kind than adapters; ``None`` for kinds that go on no base."""
    judge = _JUDGES.get(subject.kind)
    if judge is None:
        return None
    if base.architecture is None and subject.kind not in ("upscaler",):
        return unclear(
            f"The base is of an unknown architecture, so what it takes as {word_of(subject)} is not known."
        )
    verdict = judge(addon, subject, tables, base)
    score, why = _score(verdict, subject, base)
    return replace(verdict, reasons=(*verdict.reasons, *([why] if why else [])), score=score)


def _score(verdict: FitVerdict, subject: Subject, base: Subject) -> tuple[float, str]:
    if verdict.verdict not in ("compatible", "partial"):
        return 0.0, ""
    score, why = fit_score(subject.kind, subject.architecture, subject.family, base.architecture, base.family)
    return (score, why) if score > 0 and score < 1 else (1.0 if verdict.verdict == "compatible" else 0.5, "")


# ---------------------------------------------------------------- parts of a model


def _needed(part: str, base: Subject) -> list[tuple[str, ...]]:
    """The options for each part of this sort that the architecture works with, inside the file or not."""
    return [need.options for need in needs_of("diffusion_model", base.architecture, ()) if need.part == part]


def _ids(subject: Subject) -> set[str]:
    named = {subject.architecture} if subject.architecture else set()
    return named | set(subject.path) | {key for key, _ in subject.options}


def _vae(addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject) -> FitVerdict:
    wanted = [option for options in _needed("vae", base) for option in options]
    if not wanted:
        return unclear(f"Which VAE {title_of(base.architecture)} works with is not known.")
    channels = read_table("fit.toml")["latents"]
    latent, expected = addon.facts.get("latent"), channels.get(wanted[0])
    if latent is not None and expected is not None and latent != expected:
        return fits_not(
            f"{title_of(base.architecture)} draws latent pictures of {expected} channels, "
            f"this VAE reads {latent}."
        )
    if not _ids(subject):
        return unclear("Whose VAE this is cannot be told; its latent channels agree.")
    if not _ids(subject) & set(wanted):
        return fits_not(
            f"This VAE belongs to {title_of(subject.architecture or subject.options[0][0])}; "
            f"{title_of(base.architecture)} has the latent space of {titles_of(wanted)}."
        )
    others = [key for key, _ in subject.options if key not in wanted]
    alike = others and len(subject.options) > 1
    note = f" VAEs of {titles_of(others[:3])} look the same to us." if alike else ""
    return fits(f"Its latent space is that of {title_of(base.architecture)}.{note}")


def _reads_other(base: Subject, subject: Subject, wanted: str) -> FitVerdict:
    found = title_of(subject.architecture)
    return fits_not(f"{title_of(base.architecture)} reads {wanted}; this is {found}.")


def _encoder(addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject) -> FitVerdict:
    needed = _needed("text_encoder", base)
    if not needed:
        return unclear(f"Which text encoders {title_of(base.architecture)} reads is not known.")
    if not _ids(subject):
        return unclear("Which text encoder this is cannot be told.")
    if any(_ids(subject) & set(options) for options in needed):
        return fits(f"{title_of(subject.architecture)} is a text encoder of {title_of(base.architecture)}.")
    wanted = " and ".join(titles_of(options) for options in needed)
    return _reads_other(base, subject, wanted)


def _vision(addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject) -> FitVerdict:
    needed = _needed("clip_vision", base)
    if any(_ids(subject) & set(options) for options in needed):
        return fits(
            f"{title_of(subject.architecture)} is the vision encoder of {title_of(base.architecture)}."
        )
    if needed:
        wanted = " and ".join(titles_of(options) for options in needed)
        return _reads_other(base, subject, wanted)
    return unclear(
        f"{title_of(base.architecture)} reads no pictures by itself; an IP-Adapter beside it may need this."
    )


# ---------------------------------------------------------------- embeddings


def _inversion(addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject) -> FitVerdict:
    table = read_table("needs.toml")["vectors"]
    widths = addon.facts.get("widths", ())
    known = [width for width in widths if str(width) in table]
    encoders = encoders_of(base.architecture)
    if not known:
        return unclear(f"No text encoder reads vectors of {', '.join(map(str, widths)) or 'no'} numbers.")
    if not encoders:
        return unclear(f"Which text encoders {title_of(base.architecture)} reads is not known.")
    reached = {e for width in known for e in encoders if e in table[str(width)]}
    lost = [width for width in known if not set(table[str(width)]) & set(encoders)]
    if not reached:
        vectors = ", ".join(map(str, known))
        return fits_not(
            f"Its vectors have {vectors} numbers; the text encoders of {title_of(base.architecture)} "
            f"({_names(encoders)}) read others."
        )
    if lost:
        return fits_partly(
            f"Vectors of {', '.join(map(str, lost))} numbers reach no text encoder of "
            f"{title_of(base.architecture)}.",
            tuple(f"vectors of {width}" for width in lost),
        )
    clips = [e for e in encoders if e.startswith(("clip", "openclip"))]
    deaf = [e for e in clips if e not in reached]
    if deaf and len(clips) > 1:
        return fits_partly(
            f"It reaches {_names(sorted(reached))} and not {_names(deaf)}: it works weakly.", tuple(deaf)
        )
    return fits(f"Its vectors are as wide as {_names(sorted(reached))} of {title_of(base.architecture)}.")


def _names(encoders: Sequence[str]) -> str:
    return " and ".join(title_of(encoder) for encoder in encoders)


def _hypernetwork(
    addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject
) -> FitVerdict:
    widths = set(addon.facts.get("widths", ()))
    read = {
        w.columns
        for table in tables
        for name, w in table.weights.items()
        if name.endswith(("attn1_to_k", "attn2_to_k"))
    }
    if not widths or not read:
        return by_architecture(subject, base)
    if not widths & read:
        return fits_not(
            f"Its networks are for attention of {_list(widths)} features; the base has {_list(read)}."
        )
    context = {
        w.columns for table in tables for name, w in table.weights.items() if name.endswith("attn2_to_k")
    }
    if not widths & context:
        return fits_not(f"Its networks are for text of another width than {_list(context)}.")
    return fits("Its networks are as wide as the base's attention.")


def _list(numbers: set[Any]) -> str:
    return ", ".join(str(number) for number in sorted(number for number in numbers if number is not None))


def _upscaler(addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject) -> FitVerdict:
    return fits("An upscaler works on finished pictures, whatever drew them.")


def _plain(addon: FitProfile, subject: Subject, tables: Sequence[BaseTable], base: Subject) -> FitVerdict:
    return by_architecture(subject, base)


_Judge = Callable[[FitProfile, Subject, Sequence[BaseTable], Subject], FitVerdict]
_JUDGES: Mapping[str, _Judge] = {
    "vae": _vae,
    "text_encoder": _encoder,
    "clip_vision": _vision,
    "textual_inversion": _inversion,
    "hypernetwork": _hypernetwork,
    "ip_adapter": fit_image_adapter,
    "flux_redux": fit_redux,
    "motion_module": fit_motion,
    "controlnet": fit_control,
    "t2i_adapter": _plain,
    "upscaler": _upscaler,
}
