"""The page of one entry: what stands behind it, arranged for reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import PurePosixPath
from typing import Any

from indexer.domain.claims import CLAIM_NAMES
from indexer.domain.records import Document
from indexer.domain.verdict import Verdict
from search.query import parse_query
from search.safe import kept_back
from search.service import Pinakes
from search.web.clean import plain, web_address
from search.web.kin import lineage_of, releases_of
from search.web.lineage_drawing import draw_lineage
from search.web.own import marks_view
from search.web.past import events_of, ratings_of, trends_of
from search.web.shots import shots_of
from search.web.terms import terms_of
from search.web.views import cover, short_kind
from search.web.works_with import works_with

__all__ = ["model_view"]

_LONG = {"description", "notes"}
_UNSHOWN = {"tag_frequency", "trigger_words", "tags", "description", "title", "author", "licence", "comment"}
_MAX_VALUE = 600
_NO_VERDICT: Mapping[str, Any] = dict.fromkeys(f.name for f in fields(Verdict))
"""What stands for a verdict where no file of ours was judged: templates refuse names that are not there."""


@dataclass(frozen=True, slots=True)
class FileView:
    """One stored file: where it lies, and the verdict as plain JSON data (see ``domain.verdict``)."""

    places: Sequence[Mapping[str, Any]]
    size: int
    container: str
    sha256: str | None
    warnings: Mapping[str, str]
    verdict: Mapping[str, Any]
    copies: int


def model_view(pinakes: Pinakes, entry_id: int) -> dict[str, Any] | None:
    """Everything that ``model.html`` shows; None when there is no such entry."""
    details = pinakes.show(entry_id)
    if details is None:
        return None
    document = details.document
    files = [_file(row) for row in details.files]
    main = max(files, key=lambda file: float(file.verdict.get("confidence") or 0.0), default=None)
    lineage = lineage_of(pinakes, document)
    return {
        "document": document,
        "descriptions": details.descriptions,
        "kind": short_kind(document),
        "cover": cover(document),
        "files": files,
        "verdict": main.verdict if main else _NO_VERDICT,
        "conflicts": _conflicts(files),
        "previews": shots_of(details.previews, kept_back(pinakes.settings, parse_query(""))),
        "broken": [row for row in details.previews if row["status"] == "broken"],
        "claims": _statements(details.claims),
        "links": [(source, web_address(source.url)) for source in document.sources],
        "decisions": _decisions(details.overrides, main),
        "training": _training(details.training),
        "usage": details.usage,
        "prompt_tag": _prompt_tag(document, details.claims),
        "loaders": _loaders(files),
        "ratings": ratings_of(details.claims, details.statistics),
        "trends": trends_of(details.statistics),
        "terms": terms_of(document, details.claims),
        "releases": releases_of(pinakes, document),
        "lineage": lineage,
        "drawing": draw_lineage(lineage) if lineage else None,
        "events": events_of(pinakes.history(entry_id)),
        "works_with": works_with(document),
    } | marks_view(document, details.marks)


def _loaders(files: Sequence[FileView]) -> list[Mapping[str, str]]:
    """How ComfyUI's loaders name the files that are there, each name once."""
    named = [p["comfyui"] for file in files for p in file.places if p["comfyui"] and not p["missing"]]
    return list({(one["category"], one["path"]): one for one in named}.values())


def _file(row: Mapping[str, Any]) -> FileView:
    present = [place for place in row["places"] if not place["missing"]]
    return FileView(
        places=row["places"],
        size=row["size"],
        container=row["container"],
        sha256=row["sha256"],
        warnings=row["warnings"],
        verdict={**_NO_VERDICT, **(row["verdict"] or {})},
        copies=len(present),
    )


def _conflicts(files: Sequence[FileView]) -> list[dict[str, Any]]:
    """Contradictions of all files: each finding once, with who says what else."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for file in files:
        for conflict in file.verdict.get("conflicts") or ():
            said = conflict["source"], conflict["claim"]
            found.setdefault(conflict["found"], {})[said] = None
    return [{"found": tensors, "said": list(said)} for tensors, said in found.items()]


def _decisions(rows: Sequence[Mapping[str, Any]], main: FileView | None) -> list[dict[str, Any]]:
    """What a person decided, with what was found in its place."""
    found = main.verdict if main else {}
    return [
        {"name": row["name"], "value": row["value"], "at": row["at"], "found": found.get(row["name"])}
        for row in rows
        if row["withdrawn_at"] is None
    ]


def _training(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The training recipe as rows of name and value; long lists and texts are left out."""
    return [
        (name.replace("_", " "), " × ".join(map(str, value)) if name == "resolution" else _shown(value))
        for name, value in facts.items()
        if name not in _UNSHOWN and not isinstance(value, Mapping)
    ]


def _statements(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each source says, the same statement about several files once."""
    found = [one for one in map(_claims, rows) if one["values"] or one["warnings"]]
    return list({(one["source"], str(one["values"])): one for one in found}.values())


def _claims(row: Mapping[str, Any]) -> dict[str, Any]:
    """One source's statement; long texts are left to the description above."""
    told = {name: value for name, value in row["claims"].items() if value not in (None, "", [], {})}
    return {
        "source": row["source"],
        "at": row["at"],
        "warnings": row["warnings"],
        "values": [
            (name, CLAIM_NAMES.get(name, ""), _shown(value))
            for name, value in told.items()
            if name not in _LONG
        ],
    }


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _MAX_VALUE else text[:_MAX_VALUE] + " …"


def _prompt_tag(document: Document, claims: Sequence[Mapping[str, Any]]) -> str | None:
    """``<lora:name:weight>`` as A1111, Forge and SwarmUI read it; None for what is no adapter."""
    if document.kind != "lora" or not document.file_names:
        return None
    weights = (row["claims"].get("preferred_weight") for row in claims)
    weight = next((w for w in weights if isinstance(w, int | float)), 1)
    stem = plain(PurePosixPath(document.file_names[0]).stem)
    return None if set(stem) & set("<>:\n") else f"<lora:{stem}:{weight:g}>"
