"""From findings, claims and decisions to the one document that search sees. Pure: rows in, ``Document`` out.

Order of belief: a person's override; what we measured (kind, architecture); then claims, the nearest source
first. A claim never replaces a finding.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from indexer.domain.categories import REAL_PERSON, CategoryVerdict, judge_category, tagged_real_person
from indexer.domain.claimed import claimed_verdict
from indexer.domain.hub_links import civitai_page, read_link
from indexer.domain.licences import base_licences, licence_named, permitted
from indexer.domain.marks import NO_MARKS, Marks
from indexer.domain.mislabels import SETTLED, file_conflicts
from indexer.domain.rating import rated
from indexer.domain.records import Document, FileRef, SourceRef
from indexer.domain.vocabulary import architecture_path, families

__all__ = ["FileFacts", "VersionFacts", "descriptions", "resolve"]

_SOURCE_ORDER = (
    "override",
    "civitai",
    "huggingface",
    "list",
    "sidecar:civitai.info",
    "sidecar:cm-info",
    "sidecar:metadata",
    "sidecar:api_info",
    "sidecar:json",
    "sidecar:swarm",
    "header:modelspec",
    "invokeai:",
    "header:",
    "sidecar:",
    "folder:",
)
"""Whose word counts first when claims disagree: hubs, then copies of their records, then files' own words."""

_ADAPTERS = ("lora", "control_lora")
_ADULT = 4 | 8 | 16 | 32
_SILENT: tuple[Any, ...] = ("", [])
_MAX_PROMPTS = 40
_MAX_WORDS = 200
_MAX_TRAINING_TAGS = 100
_LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the catalog knows of one file: verdict (as stored JSON), claims by source, places."""

    size: int
    sha256: str | None
    fingerprint: str
    verdict: Mapping[str, Any]
    claims: Sequence[tuple[str, Mapping[str, Any]]]
    paths: Sequence[str]
    missing: bool
    overrides: Mapping[str, str]
    mtime_ns: int
    copies: int
    container: str = "unknown"
    fault: str | None = None
    """Why its weights cannot work, if they were read and cannot."""


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What the catalog knows of one version. ``claims`` are hubs' words about the version itself, then about
    its model; ``hashes`` are those measured over our files and those the hub gives; ``offered_size`` is that
    of the hub's main file in bytes, ``offered_verdict`` what its header says where it was read from afar;
    ``gone`` is ``archived``, ``taken_down`` or ``deleted`` at the hub. ``fold`` is the smallest id of a model
    among its near-duplicates, 0 without any; ``uses`` counts pictures made with it; ``marks`` are
    the user's own. ``plain`` makes text of what may be HTML."""

    id: int
    model_id: int
    key: str
    files: Sequence[FileFacts]
    claims: Sequence[tuple[str, Mapping[str, Any]]] = ()
    preview_id: int | None = None
    preview_colour: str | None = None
    previews: int = 0
    prompts: Sequence[str] = ()
    architecture_paths: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hashes: Sequence[str] = ()
    offered_size: int | None = None
    offered_verdict: Mapping[str, Any] | None = None
    gone: str | None = None
    fold: int = 0
    uses: int = 0
    marks: Marks = NO_MARKS
    plain: Callable[[str], str] = str


def _from_afar(facts: VersionFacts, claims: "_Claims") -> dict[str, Any]:
    """What a version without a file of ours is: by its header at the hub if that was read, else by claims."""
    claimed = claimed_verdict(claims.best("kind", "architecture", "base_label"))
    found = facts.offered_verdict or {}
    if found.get("kind", "unknown") == "unknown":
        return claimed
    # A claimed base counts only where tensors leave the architecture open.
    return {"family": claimed["family"], **found} if found.get("architecture") else {**claimed, **found}


class _Claims:
    """Claims of all files and hubs, best source first."""

    def __init__(self, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        self.rows = sorted(rows, key=lambda row: _place(row[0]))
        self._lists: dict[str, tuple[str, ...]] = {}
        self._best: dict[str, Any] = {}
        for _, claims in reversed(self.rows):
            self._best.update(
                {name: value for name, value in claims.items() if value is not None and value not in _SILENT}
            )

    def first(self, name: str) -> Any:
        """The best source's value, or None."""
        return self._best.get(name)

    def best(self, *names: str) -> dict[str, Any]:
        """The best source's value of each name."""
        return {name: self.first(name) for name in names}

    def every(self, name: str) -> tuple[str, ...]:
        """All values of a list claim, best source first, each once."""
        if name not in self._lists:
            values = (str(value).strip() for _, claims in self.rows for value in claims.get(name) or ())
            self._lists[name] = tuple(filter(None, dict.fromkeys(values)))[:_MAX_WORDS]
        return self._lists[name]

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of a text claim of the best source that has one, each once."""
        said = [(source, claims[name]) for source, claims in self.rows if claims.get(name)]
        best = _place(said[0][0]) if said else 0
        return tuple(dict.fromkeys(str(text) for source, text in said if _place(source) == best))

    def any(self, name: str) -> bool:
        """Whether any source says yes."""
        return any(claims.get(name) is True for _, claims in self.rows)


@lru_cache(1_000)
def _place(source: str) -> int:
    return next(
        (i for i, prefix in enumerate(_SOURCE_ORDER) if source.startswith(prefix)), len(_SOURCE_ORDER)
    )


def resolve(facts: VersionFacts) -> Document | None:
    """The version's document, or None when nothing stands behind it any more."""
    if not facts.files and not facts.claims:
        return None
    claims = _claims_of(facts)
    main = max(facts.files, key=_importance, default=None)
    verdict = dict(main.verdict) if main else _from_afar(facts, claims)
    by_weight = sorted(facts.files, key=_importance)
    decided = {name: value for file in by_weight for name, value in file.overrides.items()}
    kind = decided.get("kind") or verdict.get("kind") or "unknown"
    architecture = decided.get("architecture", verdict.get("architecture"))
    path = _path(architecture, verdict, decided, facts)
    family = decided.get("family") or _found_family(verdict, path)
    nsfw = claims.first("nsfw_level")
    name = decided.get("name") or _name(claims, main, facts)
    description = "\n".join(map(facts.plain, _descriptions(claims)))[:_LONGEST_TEXT]
    category = _category(claims, decided, kind, name, description, facts)
    hidden = _hidden(claims, nsfw, category, decided="category" in decided)
    rating = rated(claims.rows)
    return Document(
        id=facts.id,
        model_id=facts.model_id,
        name=name,
        kind=kind,
        adapter=verdict.get("adapter") if kind in _ADAPTERS else None,
        architecture=architecture,
        architecture_path=path,
        family=family,
        category=category.category,
        category_why=category.why,
        description=description,
        prompts=tuple(facts.prompts[:_MAX_PROMPTS]),
        rank=(verdict.get("rank") or {}).get("mode"),
        size=sum(file.size for file in facts.files) if facts.files else facts.offered_size,
        rating=rating.stars if rating else None,
        rating_count=rating.count if rating else None,
        nsfw_level=nsfw,
        created=_day(claims, main),
        hashes=_hashes(facts),
        has=_has(facts, claims, rated=rating is not None),
        flags=_flags(facts, claims, decided) + hidden,
        hidden=hidden,
        confidence=1.0 if "architecture" in decided else float(verdict.get("confidence") or 0.0),
        preview_id=facts.preview_id,
        preview_colour=facts.preview_colour,
        files=tuple(FileRef(p, file.sha256, file.size) for file in facts.files for p in file.paths),
        sources=_sources(facts, claims),
        fold=0 if facts.fold == facts.model_id else facts.fold,
        uses=facts.uses or None,
        permissions=_permissions(claims, architecture, family),
        my_rating=facts.marks.rating,
        my_tags=facts.marks.tags,
        notes=(*facts.marks.notes, *claims.texts("notes")),
        **_stated(claims),
    )


def _stated(claims: _Claims) -> dict[str, Any]:
    """What is known by claims alone."""
    return {
        "version": str(claims.first("version") or ""),
        "tags": claims.every("tags"),
        "trigger_words": claims.every("trigger_words"),
        "training_tags": claims.every("training_tags")[:_MAX_TRAINING_TAGS],
        "licence": _licence(claims),
        "updated": _said_day(claims, "updated_at"),
        **claims.best("base_label", "creator", "downloads", "tips", "favourites", "comments"),
    }


def _licence(claims: _Claims) -> str | None:
    """By its title where it is known, else as stated."""
    stated = claims.first("licence")
    known = licence_named(str(stated)) if stated else None
    return known.title if known else stated


def _permissions(claims: _Claims, architecture: str | None, family: str | None) -> tuple[str, ...]:
    """Id of the licence, and what it, the creator and the base permit together."""
    stated = claims.first("licence")
    known = licence_named(str(stated)) if stated else None
    bases = base_licences(architecture, claims.first("base_label"), family)
    allowed = permitted(stated, claims.first("permissions"), bases).ids()
    return (known.id, *allowed) if known else allowed


def _claims_of(facts: VersionFacts) -> _Claims:
    return _Claims([*facts.claims, *(row for file in facts.files for row in file.claims)])


def descriptions(facts: VersionFacts) -> tuple[str, ...]:
    """What the best source writes of the model and of the version: HTML or text, not to be trusted."""
    return _descriptions(_claims_of(facts))


def _descriptions(claims: _Claims) -> tuple[str, ...]:
    """The model's first, which says what it is; a version's tells what is new."""
    return claims.texts("description")[::-1]


def _hashes(facts: VersionFacts) -> tuple[str, ...]:
    ours = (h for file in facts.files for h in (file.sha256, file.fingerprint) if h)
    return tuple(dict.fromkeys((*ours, *facts.hashes)))


def _category(
    claims: _Claims,
    decided: Mapping[str, str],
    kind: str,
    name: str,
    description: str,
    facts: VersionFacts,
) -> CategoryVerdict:
    """A person's word, else a source's, else what the tags name, else what the words suggest."""
    if "category" in decided:
        return CategoryVerdict(decided["category"], 1.0, ("a person's word",), told=True)
    said = claims.first("category")
    if said:
        return CategoryVerdict(str(said), 0.95, ("the source's word",), told=True)
    path = next((path for file in facts.files for path in file.paths), "")
    return judge_category(
        kind=kind,
        tags=claims.every("tags"),
        title=name,
        trigger_words=claims.every("trigger_words"),
        description=description,
        file_name=path.replace("\\", "/").rpartition("/")[2],
        prompts=facts.prompts,
    )


def _importance(file: FileFacts) -> tuple[bool, float, int]:
    return not file.missing, float(file.verdict.get("confidence") or 0.0), file.size


def _path(
    architecture: str | None, verdict: Mapping[str, Any], decided: Mapping[str, str], facts: VersionFacts
) -> tuple[str, ...]:
    if architecture is None:
        return ()
    if "architecture" in decided:
        return facts.architecture_paths.get(architecture, (architecture,))
    return tuple(verdict.get("architecture_path") or (architecture,))


def _found_family(verdict: Mapping[str, Any], path: Sequence[str]) -> str | None:
    """The family found, unless a person put the file under an architecture that has no such family."""
    found = verdict.get("family")
    row = families().get(found or "")
    if row is None or not path or architecture_path(row.architecture)[0] == path[0]:
        return found
    return None


def _name(claims: _Claims, main: FileFacts | None, facts: VersionFacts) -> str:
    said = claims.first("name")
    if said:
        return str(said)
    if main and main.paths:
        return PurePosixPath(main.paths[0].replace("\\", "/")).stem
    return facts.key


def _day(claims: _Claims, main: FileFacts | None) -> str | None:
    said = _said_day(claims, "published_at")
    if said is not None or main is None:
        return said
    seconds = min(max(main.mtime_ns // 1_000_000_000, 0), 253_402_300_799)
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _said_day(claims: _Claims, name: str) -> str | None:
    said = claims.first(name)
    return str(said)[:10] if said else None


def _has(facts: VersionFacts, claims: _Claims, *, rated: bool) -> tuple[str, ...]:
    sources = [source for source, _ in claims.rows]
    known = {
        "preview": facts.previews > 0,
        "trigger": bool(claims.every("trigger_words")),
        "description": bool(claims.first("description")),
        "rating": rated,
        "sidecar": any(s.startswith("sidecar:") for s in sources),
        "metadata": any(s.startswith("header:") for s in sources),
        "prompt": bool(facts.prompts),
        "sha256": any(file.sha256 for file in facts.files),
    }
    return tuple(name for name, holds in known.items() if holds)


def _flags(facts: VersionFacts, claims: _Claims, decided: Mapping[str, str]) -> tuple[str, ...]:
    mine = facts.marks
    known = {
        "mislabelled": any(_conflicts(file) for file in facts.files) and not SETTLED & decided.keys(),
        "duplicate": any(file.copies > 1 for file in facts.files),
        "nonfunctional": any(file.fault for file in facts.files),
        "missing": bool(facts.files) and all(file.missing for file in facts.files),
        "local": any(not file.missing for file in facts.files),
        "favourite": claims.any("favourite") if mine.favourite is None else mine.favourite,
        "seen": mine.seen is True,
        "unseen": mine.seen is not True,
        "rated": mine.rating is not None,
        "overridden": bool(decided),
        "remote": not facts.files,
        "gone": facts.gone is not None,
        "unidentified": bool(facts.files)
        and "kind" not in decided
        and all(file.verdict.get("kind", "unknown") == "unknown" for file in facts.files),
    }
    return tuple(name for name, holds in known.items() if holds)


def _conflicts(file: FileFacts) -> Sequence[Mapping[str, Any]]:
    return file_conflicts(file.verdict, file.claims, file.container, file.paths, file.sha256)


def _hidden(claims: _Claims, nsfw: Any, category: CategoryVerdict, *, decided: bool) -> tuple[str, ...]:
    """Why it is hidden by default. A real person is hidden on a claim, a tag or a judgement alike, since
    showing one by mistake is worse than hiding a drawing; where a person decided, claims alone count."""
    known = {
        "adult": isinstance(nsfw, int) and bool(nsfw & _ADULT),
        "real_person": claims.any("real_person")
        or category.category == REAL_PERSON
        or (not decided and tagged_real_person(claims.every("tags"))),
        "minor": claims.any("minor"),
    }
    return tuple(name for name, holds in known.items() if holds)


def _sources(facts: VersionFacts, claims: _Claims) -> tuple[SourceRef, ...]:
    refs = []
    if facts.files:
        refs.append(SourceRef("local", str(facts.id)))
    hub, _, name = facts.key.partition(":")
    if hub in ("huggingface", "list"):
        refs.append(SourceRef(hub, name, claims.first("url")))
    elif (link := read_link(claims.first("url") or "")) and link.hub == "huggingface" and link.model:
        refs.append(SourceRef(link.hub, link.model, claims.first("url")))
    model, version = claims.first("civitai_model_id"), claims.first("civitai_version_id")
    if model or version:
        refs.append(SourceRef("civitai", str(version or model), civitai_page(model, version)))
    return tuple(refs)
