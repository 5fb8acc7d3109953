"""From findings, claims and decisions to the one document that search sees. Pure: rows in, ``Document`` out.

Order of belief: a person's override; what we measured (kind, architecture); then claims, the nearest source
first. A claim never replaces a finding.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from indexer.domain.categories import REAL_PERSON, CategoryVerdict, judge_category, tagged_real_person
from indexer.domain.claimed import claimed_verdict
from indexer.domain.mislabels import SETTLED, file_conflicts
from indexer.domain.rating import stars_lower_bound, thumbs_lower_bound
from indexer.domain.records import Document, FileRef, SourceRef
from indexer.domain.vocabulary import architecture_path, families

__all__ = ["FileFacts", "VersionFacts", "resolve"]

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
_MAX_PROMPTS = 40
_MAX_WORDS = 200


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
    ``gone`` is ``archived``, ``taken_down`` or ``deleted`` at the hub."""

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

    def first(self, name: str) -> Any:
        """The best source's value, or None."""
        return next((claims[name] for _, claims in self.rows if claims.get(name) not in (None, "", [])), None)

    def best(self, *names: str) -> dict[str, Any]:
        """The best source's value of each name."""
        return {name: self.first(name) for name in names}

    def every(self, name: str) -> tuple[str, ...]:
        """All values of a list claim, best source first, each once."""
        values = (str(value) for _, claims in self.rows for value in claims.get(name) or ())
        return tuple(dict.fromkeys(value.strip() for value in values if value.strip()))[:_MAX_WORDS]

    def any(self, name: str) -> bool:
        """Whether any source says yes."""
        return any(claims.get(name) is True for _, claims in self.rows)


def _place(source: str) -> int:
    return next(
        (i for i, prefix in enumerate(_SOURCE_ORDER) if source.startswith(prefix)), len(_SOURCE_ORDER)
    )


def resolve(facts: VersionFacts) -> Document | None:
    """The version's document, or None when nothing stands behind it any more."""
    if not facts.files and not facts.claims:
        return None
    claims = _Claims([*facts.claims, *(row for file in facts.files for row in file.claims)])
    main = max(facts.files, key=_importance, default=None)
    verdict = dict(main.verdict) if main else _from_afar(facts, claims)
    by_weight = sorted(facts.files, key=_importance)
    decided = {name: value for file in by_weight for name, value in file.overrides.items()}
    kind = decided.get("kind") or verdict.get("kind") or "unknown"
    architecture = decided.get("architecture", verdict.get("architecture"))
    path = _path(architecture, verdict, decided, facts)
    nsfw = claims.first("nsfw_level")
    name = decided.get("name") or _name(claims, main, facts)
    category = _category(claims, decided, kind, name, facts)
    hidden = _hidden(claims, nsfw, category, decided="category" in decided)
    return Document(
        id=facts.id,
        model_id=facts.model_id,
        name=name,
        version=str(claims.first("version") or ""),
        kind=kind,
        adapter=verdict.get("adapter") if kind in _ADAPTERS else None,
        architecture=architecture,
        architecture_path=path,
        family=decided.get("family") or _found_family(verdict, path),
        base_label=claims.first("base_label"),
        category=category.category,
        category_why=category.why,
        creator=claims.first("creator"),
        tags=claims.every("tags"),
        trigger_words=claims.every("trigger_words"),
        description=str(claims.first("description") or ""),
        prompts=tuple(facts.prompts[:_MAX_PROMPTS]),
        licence=claims.first("licence"),
        rank=(verdict.get("rank") or {}).get("mode"),
        size=sum(file.size for file in facts.files) if facts.files else facts.offered_size,
        rating=_rating(claims),
        rating_count=_rating_count(claims),
        downloads=claims.first("downloads"),
        nsfw_level=nsfw,
        created=_day(claims, main),
        hashes=_hashes(facts),
        has=_has(facts, claims),
        flags=_flags(facts, claims, decided) + hidden,
        hidden=hidden,
        confidence=1.0 if "architecture" in decided else float(verdict.get("confidence") or 0.0),
        preview_id=facts.preview_id,
        preview_colour=facts.preview_colour,
        files=tuple(FileRef(p, file.sha256, file.size) for file in facts.files for p in file.paths),
        sources=_sources(facts, claims),
    )


def _hashes(facts: VersionFacts) -> tuple[str, ...]:
    ours = (h for file in facts.files for h in (file.sha256, file.fingerprint) if h)
    return tuple(dict.fromkeys((*ours, *facts.hashes)))


def _category(
    claims: _Claims, decided: Mapping[str, str], kind: str, name: str, facts: VersionFacts
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
        description=str(claims.first("description") or ""),
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


def _rating(claims: _Claims) -> float | None:
    bounds = []
    stars, count = claims.first("rating"), claims.first("rating_count")
    if stars is not None and count:
        bounds.append(stars_lower_bound(float(stars), int(count)))
    up, down = claims.first("thumbs_up"), claims.first("thumbs_down")
    if up or down:
        bounds.append(thumbs_lower_bound(int(up or 0), int(down or 0)))
    return round(max(bounds), 4) if bounds else None


def _rating_count(claims: _Claims) -> int | None:
    thumbs = int(claims.first("thumbs_up") or 0) + int(claims.first("thumbs_down") or 0)
    return max(thumbs, int(claims.first("rating_count") or 0)) or None


def _day(claims: _Claims, main: FileFacts | None) -> str | None:
    said = claims.first("published_at")
    if said:
        return str(said)[:10]
    if main is None:
        return None
    seconds = min(max(main.mtime_ns // 1_000_000_000, 0), 253_402_300_799)
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _has(facts: VersionFacts, claims: _Claims) -> tuple[str, ...]:
    sources = [source for source, _ in claims.rows]
    known = {
        "preview": facts.previews > 0,
        "trigger": bool(claims.every("trigger_words")),
        "description": bool(claims.first("description")),
        "rating": _rating(claims) is not None,
        "sidecar": any(s.startswith("sidecar:") for s in sources),
        "metadata": any(s.startswith("header:") for s in sources),
        "prompt": bool(facts.prompts),
        "sha256": any(file.sha256 for file in facts.files),
    }
    return tuple(name for name, holds in known.items() if holds)


def _flags(facts: VersionFacts, claims: _Claims, decided: Mapping[str, str]) -> tuple[str, ...]:
    known = {
        "mislabelled": any(_conflicts(file) for file in facts.files) and not SETTLED & decided.keys(),
        "duplicate": any(file.copies > 1 for file in facts.files),
        "nonfunctional": any(file.fault for file in facts.files),
        "missing": bool(facts.files) and all(file.missing for file in facts.files),
        "local": any(not file.missing for file in facts.files),
        "favourite": claims.any("favourite"),
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
    model, version = claims.first("civitai_model_id"), claims.first("civitai_version_id")
    if model or version:
        page = f"https://civitai.com/models/{model}?modelVersionId={version}" if model and version else None
        refs.append(SourceRef("civitai", str(version or model), page or claims.first("url")))
    return tuple(refs)
