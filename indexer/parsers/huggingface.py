"""A repository of the Hugging Face Hub, as its API tells it and its model card, as records.

What the Hub's words mean here is ``indexer/data/huggingface.toml``. One bad field is a warning; refused are
answers that name no repository, and repositories of other fields (``other_field``) or without weights
(``no_weights``).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from indexer.domain.claims import CLAIM_NAMES, Claim, ClaimSet
from indexer.domain.hubs import HubFile, HubImage, HubModel, HubVersion, Refused, Statistics
from indexer.domain.vocabulary import base_label, read_table, trained_architecture
from indexer.parsers.fields import split_words, unique_words
from indexer.parsers.huggingface_files import Group, RepoFile, file_kind, group_files, read_files
from indexer.parsers.model_card import ModelCard, read_card
from indexer.parsers.sidecar_values import READERS, ValueFaultError
from indexer.parsers.strict_json import shorten
from indexer.parsers.table_claims import Warnings, bounded, objects, read_shapes, read_value, table_claims

__all__ = ["SOURCE", "parse_repo", "with_verdicts"]

SOURCE: Final = "huggingface"
_REPO = re.compile(r"[A-Za-z0-9_.-]{1,96}(/[A-Za-z0-9_.-]{1,96})?")
_APART = (
    *("siblings", "downloads", "downloadsAllTime", "likes", "trendingScore", "spaces", "usedStorage"),
    *("inference", "inferenceProviderMapping", "cardData", "widgetData"),
)
"""Kept elsewhere, or changing every day: not part of what the Hub states about a model."""
_MAX_IMAGES: Final = 100
_SHARED_IMAGES: Final = 3
"""Of a repository with several models: the card does not say which of them drew what."""
_MAX_BASES: Final = 20
_RELATION = re.compile(r"base_model:(?:(adapter|finetune|merge|quantized):)?([\w.-]+/[\w.-]+)")


def parse_repo(
    info: Any,
    card: str | None = None,
    verdicts: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    base_url: str = "https://huggingface.co",
) -> HubModel | Refused:
    """One repository from the answer about it and the text of its README.md, where it has one.

    ``verdicts``: path of a file -> what its header says (a finding, kept in ``HubFile.detail``). Never raises
    for content.
    """
    name = info.get("id") or info.get("modelId") if isinstance(info, dict) else None
    if not isinstance(info, dict) or not isinstance(name, str) or not _REPO.fullmatch(name):
        return Refused(SOURCE, shorten(name), "item", f"{shorten(name)} is no name of a repository")
    warnings = Warnings()
    groups = group_files(read_files(info.get("siblings") or [], warnings))
    if not groups:
        return Refused(SOURCE, name, "no_weights", f"{name} holds no file of weights that is read here")
    stated = read_card(card or "")
    told = bounded({key: value for key, value in info.items() if key != "siblings"}, warnings)
    data = {**stated.data, **(told["cardData"] if isinstance(told.get("cardData"), dict) else {})}
    repo = _Repo(name, base_url.rstrip("/"), told, data, stated, warnings)
    if (field := repo.other_field()) is not None:
        return Refused(SOURCE, name, "other_field", f"{name} is of another field: {field}")
    model = repo.model(groups)
    return with_verdicts(model, verdicts) if verdicts else model


def with_verdicts(model: HubModel, verdicts: Mapping[str, Mapping[str, Any]]) -> HubModel:
    """The model with findings at its files, by their keys."""

    def found(file: HubFile) -> HubFile:
        verdict = verdicts.get(file.key)
        return replace(file, detail={**file.detail, "verdict": dict(verdict)}) if verdict else file

    versions = (replace(version, files=tuple(map(found, version.files))) for version in model.versions)
    return replace(model, versions=tuple(versions))


@cache
def _table() -> Mapping[str, Any]:
    return read_table("huggingface.toml")


def _words_in(section: str) -> frozenset[str]:
    return frozenset(_table()[section]["names"])


class _Repo:
    """One repository: its name, what the API told (``info``) and what its card says (``data``)."""

    def __init__(
        self,
        name: str,
        base_url: str,
        info: Mapping[str, Any],
        data: Mapping[str, Any],
        card: ModelCard,
        warnings: Warnings,
    ) -> None:
        self.name, self.info, self.data, self.card, self.warnings = name, info, data, card, warnings
        self.page = f"{base_url}/{quote(name)}"
        stated = [item for where in (info, data) for item in _texts(where.get("tags"))]
        self.tags = unique_words(stated)
        self.bases = list(dict.fromkeys(self._bases()))[:_MAX_BASES]

    def other_field(self) -> str | None:
        """Task or library, where they say that this is no model that draws."""
        task = self._said("pipeline_tag")
        library = self._said("library_name")
        draws = task in _words_in("tasks") or library in _words_in("libraries")
        tagged = not _words_in("image_tags").isdisjoint(tag.lower() for tag in self.tags)
        name = self.name.rpartition("/")[2].lower()
        encoder = any(word in name for word in _words_in("text_encoders"))
        if draws or tagged or encoder or any(map(base_label, self._labels())):
            return None
        return task or (library if library in _words_in("other_libraries") else None)

    def model(self, groups: Sequence[Group]) -> HubModel:
        """The record of all groups of files."""
        images = self._images()[: _MAX_IMAGES if len(groups) == 1 else _SHARED_IMAGES]
        versions = tuple(self._version(group, images) for group in groups)
        claims = [claim for claim in self._claims() if claim.name in CLAIM_NAMES]
        raw = {key: value for key, value in self.info.items() if key not in _APART}
        raw["card"] = bounded(dict(self.data), self.warnings)
        odd = (*self.warnings, *self.card.warnings)
        author = self.info.get("author") or self.name.rpartition("/")[0]
        return HubModel(
            key=f"{SOURCE}:{self.name}",
            source=SOURCE,
            claims=ClaimSet(SOURCE, tuple(claims), raw, {}, odd),
            versions=versions,
            creator=author[:1000] if isinstance(author, str) and author else None,
            statistics=self._statistics(),
            gone="taken_down" if self.info.get("disabled") is True else None,
            warnings=odd,
        )

    def _said(self, key: str) -> str | None:
        value = self.info.get(key) or self.data.get(key)
        return value.strip().lower() if isinstance(value, str) and value.strip() else None

    def _bases(self) -> Iterator[str]:
        for key in _table()["card"]["base"]["keys"]:
            yield from (text for text in _texts(self.data.get(key)) if _REPO.fullmatch(text))
        for tag in self.tags:
            if found := _RELATION.fullmatch(tag):
                yield found[2]

    def _relation(self) -> str | None:
        stated = self.data.get("base_model_relation")
        if isinstance(stated, str) and stated:
            return stated
        return next((found[1] for tag in self.tags if (found := _RELATION.fullmatch(tag)) and found[1]), None)

    def _labels(self) -> Iterator[str]:
        """Base labels in Civitai's spelling: of the bases, then of the repository itself."""
        known = _table()["bases"]
        spelt = [known.get(name.lower()) or name.rpartition("/")[2] for name in self.bases]
        for text in (*spelt, known.get(self.name.lower())):
            if text and (label := base_label(text)) is not None:
                yield label.id

    def _claims(self) -> Iterator[Claim]:
        yield Claim("name", self.name.rpartition("/")[2])
        yield Claim("url", self.page)
        yield from table_claims(_shapes()["model"], self.info, self.warnings)
        if tags := [tag for tag in self.tags if not _is_noise(tag)]:
            yield Claim("tags", tags)
        if words := self._triggers():
            yield Claim("trigger_words", words)
        if licence := self._licence():
            yield Claim("licence", licence)
        if self.card.text:
            yield Claim("description", self.card.text)
        if self.bases:
            yield Claim("trained_on", self.bases[0])
            if self._relation() == "merge":
                yield Claim("merged_from", list(self.bases))
        if access := self._access():
            yield Claim("access", access)
        if not set(_table()["adult"]["tags"]).isdisjoint(tag.lower() for tag in self.tags):
            yield Claim("nsfw_level", _table()["adult"]["level"])

    def _triggers(self) -> list[str]:
        said = [text for key in _table()["card"]["trigger"]["keys"] for text in _texts(self.data.get(key))]
        words = [word for text in said if text.lower() not in ("null", "none") for word in split_words(text)]
        return unique_words([*words, *self.card.triggers])[:100]

    def _licence(self) -> str | None:
        licence, named = self.data.get("license"), self.data.get("license_name")
        first = next(iter(_texts(licence)), None)
        if first in (None, "other", "unknown") and isinstance(named, str) and named.strip():
            return named.strip()[:1000]
        return first[:1000] if first else None

    def _access(self) -> str | None:
        if self.info.get("disabled") is True:
            return "disabled"
        if self.info.get("private") is True:
            return "private"
        return "gated" if self.info.get("gated") in ("auto", "manual", True) else None

    def _statistics(self) -> Statistics:
        values: dict[str, Any] = {}
        for name, row in _table()["statistics"].items():
            if name != "why" and self.info.get(row["key"]) is not None:
                try:
                    values[name] = READERS[row["type"]](self.info[row["key"]])
                except ValueFaultError as fault:
                    self.warnings.add(fault.code, row["key"], str(fault))
        return Statistics(**values)

    def _version(self, group: Group, images: tuple[HubImage, ...]) -> HubVersion:
        said = [Claim("version", self._title(group))]
        if kind := self._kind(group):
            said.append(Claim("kind", kind))
        if label := next(self._labels(), None):
            said.append(Claim("base_label", label))
        elif architecture := self._architecture(group):
            said.append(Claim("architecture", architecture))
        files = tuple(self._file(file, group, place == 0) for place, file in enumerate(group.files))
        raw = {"key": group.key, "sort": group.sort, "files": [file.path for file in group.files[:100]]}
        return HubVersion(
            f"{SOURCE}:{self.name}@{group.key}",
            ClaimSet(SOURCE, tuple(said), raw),
            files,
            images,
        )

    def _title(self, group: Group) -> str:
        if group.sort == "pipeline":
            return "diffusers" if group.key == "." else f"{group.key} (diffusers)"
        return group.key.rpartition(".")[0] or group.key if group.sort != "component" else group.key

    def _kind(self, group: Group) -> str | None:
        """By the file's place and name, then by the repository's tags. A claim."""
        if group.sort == "pipeline":
            return "checkpoint"
        if (kind := file_kind(group.files[0].path)) is not None:
            return kind
        tags = {tag.lower() for tag in self.tags} | {f"base_model:{self._relation()}"}
        rows = _table()["kind_tags"]
        return next((kind for kind, words in rows.items() if kind != "why" and tags & set(words)), None)

    def _architecture(self, group: Group) -> str | None:
        told = self.info.get("gguf")
        if group.files[0].container == "GGUF" and isinstance(told, dict):
            return trained_architecture(str(told.get("architecture") or ""))
        names = (name.rpartition("/")[2] for name in (*self.bases, self.name))
        return next(filter(None, map(trained_architecture, names)), None)

    def _file(self, file: RepoFile, group: Group, first: bool) -> HubFile:
        component = file.folder.rpartition("/")[2] if group.sort == "pipeline" else None
        return HubFile(
            key=file.path,
            name=file.name,
            type=component or "Model",
            size=file.size,
            format=file.container,
            precision=file.precision,
            primary=first,
            url=self._resolved(file.path),
            hashes={"sha256": file.sha256} if file.sha256 else {},
            detail={**file.detail, "index": group.index} if first and group.index else file.detail,
        )

    def _resolved(self, path: str) -> str:
        return f"{self.page}/resolve/main/{quote(path)}"

    def _images(self) -> tuple[HubImage, ...]:
        """Pictures of the card's gallery with their prompts, then its thumbnail, each once."""
        found: dict[str, HubImage] = {}
        for entry in objects(self.data, "widget", self.warnings):
            output = entry.get("output")
            url = self._picture(output.get("url")) if isinstance(output, dict) else None
            if url is not None:
                found.setdefault(url, HubImage(url, _media(url), meta={"meta": _generation(entry)}))
        if (thumbnail := self._picture(self.data.get("thumbnail"))) is not None:
            found.setdefault(thumbnail, HubImage(thumbnail, _media(thumbnail)))
        return tuple(found.values())

    def _picture(self, text: Any) -> str | None:
        """The address of a picture, which may be a path in the repository."""
        if not isinstance(text, str) or not text.strip() or len(text) > 2000:
            return None
        if "://" in text:
            url: str | None = read_value({"url": text}, ("url",), "url", self.warnings)
            return url
        path = text.strip().removeprefix("./").lstrip("/")
        if any(part in ("", ".", "..") for part in path.split("/")) or not path.isprintable():
            self.warnings.add("file_name", "widget", f"{shorten(text)} is no picture of this repository")
            return None
        return self._resolved(path)


@cache
def _shapes() -> Mapping[str, Any]:
    return read_shapes(_table()["fields"])


def _texts(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and item.strip():
            yield item.strip()


def _is_noise(tag: str) -> bool:
    rows = _table()["noise"]
    return tag.lower() in rows["names"] or tag.lower().startswith(tuple(rows["starts"]))


def _media(url: str) -> str:
    return "video" if url.lower().rpartition(".")[2] in ("mp4", "webm", "mov") else "image"


def _generation(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Generation data of a gallery's entry, under the names that Civitai uses."""
    given = entry.get("parameters")
    parameters = dict(given) if isinstance(given, dict) else {}
    said: dict[str, Any] = {}
    if isinstance(text := entry.get("text"), str) and text not in ("", "-", "null"):
        said["prompt"] = text
    if isinstance(negative := parameters.pop("negative_prompt", None), str):
        said["negativePrompt"] = negative
    return said | parameters
