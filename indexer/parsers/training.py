"""What a file's own metadata says about its making: kohya's ``ss_`` keys, ModelSpec, and a dozen others.

Everything here is a claim of whoever wrote the file. Which key tells what stands in
``indexer/data/training_metadata.toml``; this module reads the values, within bounds, and never raises for
what it finds: oddities become warnings, and the raw text stays with the header.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import orjson

from indexer.domain.claims import Claim, ClaimSet
from indexer.domain.header import HeaderWarning
from indexer.parsers import training_data
from indexer.parsers.fields import MAX_TEXT, unique_words
from indexer.parsers.strict_json import JsonFault, load_lenient, shorten
from indexer.parsers.training_merge import read_merge
from indexer.parsers.training_table import Row, kinds, known_keys, rows, source_of, tools, words
from indexer.parsers.training_values import READERS, PlaceholderError, thumbnail

__all__ = ["TrainingFacts", "parse_metadata", "thumbnail_bytes", "told_facts"]

_WHOLE = ("json", "graph")
_CLAIMED_TAGS = 100
"""Types of rows whose JSON is kept as it is."""
_THUMBNAILS = ("modelspec.thumbnail", "modelspec.preview_image")


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What the writer of a file says of how it was made; None where nothing is said.

    Dates are ISO 8601; ``resolution`` is (width, height) in pixels; ``images`` counts pictures once,
    ``train_images`` with repeats, as trainers do; ``base_model_hash`` is lower-case hex, 64 digits (SHA-256)
    or 8 (AutoV1); ``prediction_type`` is ``epsilon``, ``v`` or as written; ``tag_frequency`` holds the most
    frequent caption tags with their counts, most frequent first; ``trigger_words`` the likeliest first;
    ``merge`` tells what the file was merged from (see ``read_merge``); ``thumbnail`` is the media type of an
    embedded picture (see ``thumbnail_bytes``).
    """

    tool: str | None = None
    tool_version: str | None = None
    base_model_version: str | None = None
    modelspec_architecture: str | None = None
    base_model_name: str | None = None
    base_model_hash: str | None = None
    v2: bool | None = None
    prediction_type: str | None = None
    network_module: str | None = None
    network_args: Mapping[str, str] = field(default_factory=dict)
    algo: str | None = None
    dim: int | None = None
    alpha: float | None = None
    conv_dim: int | None = None
    conv_alpha: float | None = None
    images: int | None = None
    repeats: int | None = None
    train_images: int | None = None
    reg_images: int | None = None
    accumulation: int | None = None
    warmup: float | None = None
    steps: int | None = None
    epochs: int | None = None
    planned_epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    unet_lr: float | None = None
    text_encoder_lr: float | None = None
    scheduler: str | None = None
    optimiser: str | None = None
    loss: str | None = None
    min_snr_gamma: float | None = None
    zero_terminal_snr: bool | None = None
    timestep_sampling: str | None = None
    flow_shift: float | None = None
    dropout: float | None = None
    caption_dropout: float | None = None
    keep_tokens: int | None = None
    shuffled: bool | None = None
    max_tokens: int | None = None
    method: str | None = None
    resolution: tuple[int, int] | None = None
    started: str | None = None
    finished: str | None = None
    date: str | None = None
    clip_skip: int | None = None
    noise_offset: float | None = None
    seed: int | None = None
    mixed_precision: str | None = None
    title: str | None = None
    output_name: str | None = None
    author: str | None = None
    licence: str | None = None
    description: str | None = None
    usage_hint: str | None = None
    negative: bool | None = None
    vae_name: str | None = None
    comment: str | None = None
    tags: tuple[str, ...] = ()
    merged_from: tuple[str, ...] = ()
    merge: Mapping[str, Any] = field(default_factory=dict)
    preferred_weight: float | None = None
    thumbnail: str | None = None
    claimed_hashes: Mapping[str, str] = field(default_factory=dict)
    tag_frequency: tuple[tuple[str, int], ...] = ()
    trigger_words: tuple[str, ...] = ()
    unparsed: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[HeaderWarning, ...] = ()


_FACTS = frozenset(entry.name for entry in fields(TrainingFacts))
_TOLD = tuple(sorted(_FACTS - {"unparsed", "warnings", "thumbnail"}))


def told_facts(facts: TrainingFacts) -> dict[str, Any]:
    """The facts that the writer told, by name, without what is empty."""
    told = {name: getattr(facts, name) for name in _TOLD}
    return {name: value for name, value in told.items() if value not in (None, (), {})}


class _Reading:
    """Values found in one file's metadata, by field; claims and warnings, by source."""

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self.metadata = metadata
        self.values: dict[str, Any] = {}
        self.json: dict[str, Any] = {}
        self.claims: dict[str, dict[str, Any]] = {}
        self.warnings: dict[str, dict[str, HeaderWarning]] = {}

    def take(self, row: Row) -> None:
        """Read one row's value, if it is there and usable."""
        text = self.metadata.get(row.key)
        if text is None or text[:20].strip().lower() in words().nothing:
            return
        if row.type == "graph" and not text[:100].lstrip().startswith("{"):
            return  # the key is another tool's plain text
        if row.path or row.type in _WHOLE:
            text = self._inner(row, self._decoded(row.key, text))
        if text is not None:
            self._read(row, text)

    def _read(self, row: Row, text: str) -> None:
        try:
            value = READERS[row.type](text)
        except PlaceholderError:
            self.warn(
                row.key, "hash_placeholder", f"{row.key} is the hash of nothing, a trainer's bug; left out"
            )
        except ValueError as error:
            code = "thumbnail" if row.type == "thumbnail" else "value_range"
            self.warn(row.key, code, f"{row.key} {shorten(text)} left out: {error}")
        else:
            self._keep(row, value)

    def _keep(self, row: Row, value: Any) -> None:
        if row.field == "claimed_hashes":
            self.values.setdefault(row.field, {})[row.key] = value
        else:
            self.values.setdefault(row.field, value)
        if row.claim is not None:
            self.claim(source_of(row.key), row.claim, value)

    def _decoded(self, key: str, text: str) -> Any:
        if key not in self.json:
            self.json[key] = None
            if len(text) >= MAX_TEXT:
                return None  # the header's reader cut it and said so
            try:
                self.json[key] = _load(text)
            except JsonFault as fault:
                code = "kohya_json" if source_of(key) == "kohya" else "metadata_json"
                self.warn(key, code, f"{key}: {fault.detail}; kept as text")
        return self.json[key]

    def _inner(self, row: Row, value: Any) -> str | None:
        """The text at the row's path; JSON rows keep the decoded value instead."""
        for part in row.path:
            value = _step(value, part)
        if row.type in _WHOLE:
            if value is not None:
                self.values.setdefault(row.field, value)
            return None
        text = str(value) if isinstance(value, str | int | float) else ""
        return None if text.strip().lower() in words().nothing else text

    def claim(self, source: str, name: str, value: Any) -> None:
        """Note a claim; a source's first word on a name stands."""
        plain = list(value) if isinstance(value, tuple) else value
        self.claims.setdefault(source, {}).setdefault(name, plain)

    def warn(self, key: str, code: str, detail: str) -> None:
        """Note the first oddity of each code, by source."""
        self.warnings.setdefault(source_of(key), {}).setdefault(code, HeaderWarning(code, detail))


def parse_metadata(metadata: Mapping[str, str]) -> tuple[TrainingFacts, tuple[ClaimSet, ...]]:
    """Training facts and claims of a header's metadata.

    Each claim set's source is ``header:`` and who speaks: ``kohya``, ``modelspec``, ``onetrainer``, ``peft``,
    ``ai-toolkit``, ``comfyui`` or ``other``. Warning codes: ``kohya_json``, ``metadata_json``,
    ``value_range``, ``thumbnail``, ``hash_placeholder``.
    """
    reading = _Reading(metadata)
    for row in rows():
        reading.take(row)
    unparsed = {key: text for key, text in metadata.items() if key not in known_keys()}
    facts = {name: value for name, value in reading.values.items() if name in _FACTS}
    facts |= _dataset_facts(reading)
    _claim_parents(reading, facts.get("merge") or {})
    _claim_kind(reading)
    warnings = tuple(warning for told in reading.warnings.values() for warning in told.values())
    found = TrainingFacts(**facts, tool=_tool(metadata), unparsed=unparsed, warnings=warnings)
    return found, _claim_sets(reading, unparsed)


def thumbnail_bytes(metadata: Mapping[str, str]) -> tuple[str, bytes] | None:
    """Media type and bytes of the picture inside the metadata: PNG, JPEG or WebP from a data: URI.

    None where there is none. The bytes come from a stranger: decode them within limits.
    """
    for text in filter(None, map(metadata.get, _THUMBNAILS)):
        try:
            return thumbnail(text)
        except ValueError:
            continue
    return None


def _dataset_facts(reading: _Reading) -> dict[str, Any]:
    values = reading.values
    found = training_data.folders(
        values.get("tag_frequency"), values.get("dataset_dirs"), values.get("datasets")
    )
    guessed = training_data.trigger_words(found)
    concepts = training_data.concept_names(values.get("concepts"))
    if concepts:
        reading.claim("onetrainer", "trigger_words", concepts)
    if guessed:
        reading.claim("kohya", "trigger_words", guessed)
    tags = training_data.top_tags(found)
    if tags:
        reading.claim("kohya", "training_tags", [tag for tag, _ in tags[:_CLAIMED_TAGS]])
    arguments = values.get("network_args")
    return {
        "network_args": _texts(arguments) if isinstance(arguments, dict) else {},
        "resolution": values.get("resolution") or training_data.resolution(values.get("datasets")),
        "images": training_data.images(found) or values.get("train_images"),
        "repeats": max((folder.repeats for folder in found if folder.repeats), default=None),
        "tag_frequency": tags,
        "trigger_words": tuple(unique_words([*values.get("stated_triggers", ()), *concepts, *guessed])),
        "merge": read_merge(values) or {},
    }


def _texts(arguments: Mapping[str, Any]) -> dict[str, str]:
    """At most 100 arguments, as text."""
    return {name[:100]: str(value)[:200] for name, value in list(arguments.items())[:100]}


_SPEAKER = {"comfyui": "comfyui", "modelspec": "modelspec"}


def _claim_parents(reading: _Reading, merge: Mapping[str, Any]) -> None:
    """What the file was merged from, each as ``name [hash]``, name or hash."""
    told = []
    for model in merge.get("models", ()):
        name, digest = model.get("name"), model.get("hash")
        told.append(f"{name} [{digest}]" if name and digest else name or digest)
    if told:
        reading.claim(_SPEAKER.get(merge["source"], "merger"), "merged_from", told)


def _claim_kind(reading: _Reading) -> None:
    last = reading.values.get("modelspec_architecture", "").lower().rpartition("/")
    if last[1] and last[2] in kinds():
        reading.claim("modelspec", "kind", kinds()[last[2]])
    if "network_module" in reading.values:
        reading.claim("kohya", "kind", "lora")


def _claim_sets(reading: _Reading, unparsed: Mapping[str, str]) -> tuple[ClaimSet, ...]:
    said: dict[str, dict[str, str]] = {}
    for key, text in reading.metadata.items():
        said.setdefault(source_of(key), {})[key] = text
    return tuple(
        ClaimSet(
            f"header:{source}",
            tuple(Claim(name, value) for name, value in reading.claims.get(source, {}).items()),
            raw,
            {key: text for key, text in raw.items() if key in unparsed},
            tuple(reading.warnings.get(source, {}).values()),
        )
        for source, raw in said.items()
    )


def _tool(metadata: Mapping[str, str]) -> str | None:
    for name, key, pattern in tools():
        text = metadata.get(key)
        if text is not None and (pattern is None or pattern.search(text[:10_000])):
            return name
    return None


def _load(text: str) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return load_lenient(text)[0]  # NaN, as Python writes it; else the fault with its reason


def _step(value: Any, part: str) -> Any:
    """The member ``part`` of an object; ``*.r`` is the first member called ``r`` or ending with ``.r``."""
    if not isinstance(value, dict):
        return None
    if not part.startswith("*."):
        return value.get(part)
    return next((item for key, item in value.items() if key == part[2:] or key.endswith(part[1:])), None)
