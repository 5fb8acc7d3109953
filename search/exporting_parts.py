"""The parts of a checked stack as loaders name them: members, and encoders and VAE beside the base."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.catalog.database import Catalog
from indexer.catalog.entries import documents
from indexer.catalog.stack_files import StackFile, stack_files
from indexer.catalog.usage import version_usage
from indexer.domain.comfyui import LoaderPath, loader_path
from indexer.domain.records import Document
from indexer.rules.needs import needs_of
from search.stack import Stack
from search.stack_advice import part_title
from search.stack_recipe import Ingredient, called_by, is_negative
from search.stack_records import Addon, Member, Needed
from search.stack_table import shipped_part

__all__ = ["Parts", "known_parts"]

_AUTO_V2 = 10
"""Digits of a SHA-256 that make an AutoV2."""


@dataclass(frozen=True, slots=True)
class Parts:
    """``members`` are those of the stack by name; ``encoders`` and ``vae`` what is loaded beside the base;
    ``notes`` say what is not in the library, or lies where loaders do not look."""

    members: Mapping[str, Ingredient]
    encoders: tuple[Ingredient, ...]
    vae: Ingredient | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Here:
    """What the catalog has of the entries of a stack. ``spoken``: words that most pictures say, by entry."""

    documents: Mapping[int, Document]
    files: Mapping[int, Sequence[StackFile]]
    spoken: Mapping[int, Sequence[Mapping[str, object]]]


def known_parts(catalog: Catalog, stack: Stack) -> Parts:
    """All parts; read in a few statements, and some more for each addon with several trigger words."""
    addons = {addon.member.name: addon for addon in stack.addons}
    here = _read(catalog, stack)
    members = {
        member.name: _ingredient(member, addons.get(member.name), here)
        for member in (stack.base, *(addon.member for addon in stack.addons))
    }
    towers = {name: _tower(addon.member, stack, members, here) for name, addon in addons.items()}
    members |= {name: replace(members[name], tower=tower) for name, tower in towers.items()}
    encoders = tuple(_beside(stack, members, here, "text_encoder")) if _takes_encoders(stack) else ()
    fitting = [name for name, addon in addons.items() if addon.verdict.verdict != "incompatible"]
    vaes = [members[name] for name in fitting if members[name].kind == "vae"]
    vae = next((one for one in (*vaes, *_beside(stack, members, here, "vae")) if one.file), None)
    eyes = (tower for name, tower in towers.items() if tower and name in fitting)
    loaded = (*members.values(), *encoders, *((vae,) if vae else ()), *eyes)
    return Parts(members, encoders, vae, tuple(dict.fromkeys(_notes(loaded, here))))


def _read(catalog: Catalog, stack: Stack) -> _Here:
    own = {member.id for member in (stack.base, *(addon.member for addon in stack.addons))}
    spares = {spare.id for need in stack.needed for spare in need.spares[:1]}
    ids = sorted(id_ for id_ in own | spares if id_ is not None)
    with catalog.read() as session:
        shown = documents(session, ids)
        files = stack_files(session, ids)
        spoken = {
            id_: version_usage(session, shown[id_]).get("trigger_words", ())
            for addon in stack.addons
            if (id_ := addon.member.id) in shown and len(addon.member.triggers) > 1
        }
    return _Here(shown, files, spoken)


def _ingredient(member: Member, addon: Addon | None, here: _Here) -> Ingredient:
    document = here.documents.get(member.id or 0)
    stored = _file(here.files.get(member.id or 0, ()), member)
    tags = document.tags if document else ()
    return Ingredient(
        name=member.name,
        kind=member.kind,
        file=_loader_name(member, stored, document),
        id=member.id,
        version=member.version,
        architecture=member.architecture,
        weight=addon.weight.value if addon else 1.0,
        triggers=called_by(member.triggers, here.spoken.get(member.id or 0, ())),
        # Names of weights in text encoders have their encoder before a colon.
        encoders=any(":" in key for key in member.changed),
        negative=member.kind == "textual_inversion" and is_negative(member.name, *tags, *member.triggers),
        held=stored is not None or member.path is not None,
        hashes=_hashes(stored),
        addresses=tuple(ref.url for ref in document.sources if ref.url) if document else (),
    )


def _file(files: Sequence[StackFile], member: Member) -> StackFile | None:
    """The file that the stack was judged by: the one at its path, else of its kind, else the largest."""
    ranked = sorted(files, key=lambda file: (file.path != member.path, file.kind != member.kind))
    return ranked[0] if ranked else None


def _loader_name(member: Member, stored: StackFile | None, document: Document | None) -> str | None:
    """The path below the folder of its category; for what is not here the name that its hub gives it."""
    loader = stored.loader if stored else _loader_of(member)
    if loader is not None:
        return loader.path.replace("/", os.sep)  # ComfyUI lists names as its system spells paths
    if stored is not None:
        return Path(stored.path).name
    return next(iter(document.file_names), None) if document else None


def _loader_of(member: Member) -> LoaderPath | None:
    """How a file that is in no catalog is named."""
    if member.path is None:
        return None
    path = Path(member.path).absolute()
    return loader_path(path.parent.as_posix(), "plain", "", path.name, member.kind)


def _hashes(stored: StackFile | None) -> dict[str, str]:
    sha256 = stored.sha256 if stored else None
    return {"SHA256": sha256, "AutoV2": sha256[:_AUTO_V2]} if sha256 else {}


# ---------------------------------------------------------------- beside the base


def _takes_encoders(stack: Stack) -> bool:
    """Whether the base holds no text encoder. One that lacks some of them is drawn with those it has."""
    base = stack.base
    wanted = [
        need for need in needs_of("diffusion_model", base.architecture, ()) if need.part == "text_encoder"
    ]
    lacking = [need for need in base.needs if need.part == "text_encoder"]
    return bool(lacking) and (base.kind != "checkpoint" or len(lacking) >= len(wanted))


def _tower(member: Member, stack: Stack, members: Mapping[str, Ingredient], here: _Here) -> Ingredient | None:
    """The image encoder that an addon looks through; None where it needs none, or none is known."""
    options = {need.options for need in member.needs if need.part == "clip_vision"}
    wanted = (one for one in stack.needed if one.need.part == "clip_vision" and one.need.options in options)
    found = (_part(one, members, here) for one in wanted)
    return next((one for one in found if one is not None and one.file), None)


def _beside(stack: Stack, members: Mapping[str, Ingredient], here: _Here, part: str) -> Iterator[Ingredient]:
    """What the base needs of a kind of part."""
    for one in stack.needed:
        if one.need.part == part and one.by == stack.base.name:
            found = _part(one, members, here)
            if found is not None:
                yield found


def _part(one: Needed, members: Mapping[str, Ingredient], here: _Here) -> Ingredient | None:
    """What is needed: given, of the library, or under the name it is shipped by."""
    if one.given is not None:
        return members[one.given]
    if one.spares:
        return _spare(one, here)
    name = shipped_part(one.need.options)
    if name is None:
        return None
    return Ingredient(name, one.need.part, name, architecture=one.need.options[0], held=False)


def _spare(needed: Needed, here: _Here) -> Ingredient:
    spare, part = needed.spares[0], needed.need.part
    member = Member(spare.name, part, spare.id, architecture=spare.architecture)
    return _ingredient(member, None, here)


def _notes(loaded: Iterable[Ingredient], here: _Here) -> Iterator[str]:
    for one in loaded:
        if one.file is None:
            continue
        if not one.held:
            told = f"is not in the library: get the {part_title(one.kind)} before you run it"
            yield f"{one.file} {told}."
            continue
        wanted = loader_path("/any", "plain", "", "any", one.kind)
        stored = next(iter(here.files.get(one.id or 0, ())), None)
        found = stored.loader if stored else None
        if wanted and found and found.category != wanted.category:
            yield f"{one.name} lies in {found.category}; ComfyUI looks for it in {wanted.category}."
