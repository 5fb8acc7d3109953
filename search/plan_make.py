"""Making a plan over an open library: which models, in batches, and what happens to each.

from search.plan_make import PlanRequest, make_plan
plan = make_plan(pinakes, PlanRequest(to="flux2-klein-9b"))
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from indexer.catalog import entries, planning
from indexer.domain.fit import FitVerdict
from indexer.domain.generation import UsedModel
from indexer.domain.records import Document
from indexer.errors import UsageError
from indexer.parsers.training import parse_metadata, told_facts
from indexer.progress import Progress, Silent
from indexer.stages.publish_gist import read_gist
from search.plan import Decision, Found, decide, wants_candidates
from search.plan_answer import Item, Plan
from search.plan_cost import Price, retraining
from search.plan_diff import changes_since
from search.plan_find import Finder
from search.plan_fit import Stored, Target
from search.plan_licence import base_change, licence_change, target_licence
from search.plan_looks import StyleLooks
from search.plan_scope import Scope, source_of, target_of
from search.plan_stack import Stack, read_stack
from search.plan_verdicts import stored_verdicts
from search.query import parse_query
from search.service import Pinakes

__all__ = ["FitSource", "PlanRequest", "make_plan"]

_BATCH = 250

FitSource = Callable[[Mapping[int, Document], Target], Mapping[int, FitVerdict]]
"""Verdicts of tensors for entries on a target; entries that were not compared are left out."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What to plan: ``to`` and ``source`` are bases as people call them; ``query`` narrows the library;
    ``stack`` plans the models of a picture or workflow instead. ``against`` is an earlier plan's JSON."""

    to: str
    source: str | None = None
    query: str = ""
    stack: Path | bytes | None = None
    against: Mapping[str, Any] | None = None
    price: Price = field(default_factory=Price)
    ids: Sequence[int] | None = None
    """Entries to plan, where they are known; then ``query`` narrows these."""
    most: int = 1_000_000
    """Asked to plan more models than this, it refuses."""


def make_plan(
    pinakes: Pinakes,
    request: PlanRequest,
    progress: Progress | None = None,
    verdicts: FitSource | None = None,
) -> Plan:
    """The plan. Nothing is written. The same catalog gives the same plan. Tensors are judged by
    what the catalog keeps of them, unless ``verdicts`` says it.

    Raises ``QueryError`` for a query that cannot be understood, ``UsageError`` for other arguments.
    """
    target, source = target_of(request.to), source_of(request.source)
    parsed = parse_query(request.query)
    stack = read_stack(pinakes.catalog, request.stack) if request.stack is not None else None
    named = stack.ids if stack is not None else request.ids
    scope = Scope(pinakes, parsed, source, named)
    ids = scope.ids()
    if len(ids) > request.most:
        raise UsageError(
            "plan",
            f"{len(ids):,} models are more than the {request.most:,} planned at once. Narrow the query.",
        )
    told = progress or Silent()
    gists = read_gist(pinakes.catalog, pinakes.settings, told)
    finder = Finder(pinakes.text, pinakes.catalog, StyleLooks(pinakes.looks), gists, target, scope.flags)
    told_by = verdicts or stored_verdicts(pinakes.catalog)
    maker = _Maker(pinakes, target, finder, told_by, request.price, stack)
    items = list(maker.items(ids, told))
    if stack is not None:
        items += [_unknown_name(model) for model in stack.unknown]
    plan = Plan(
        target,
        source,
        request.query,
        items,
        *scope.hidden(),
        licence=target_licence(target),
        base_licence=base_change(source, target),
        notes=(*parsed.notes, *_notes(items)),
    )
    if request.against is None:
        return plan
    now = [item.to_json() for item in items]
    return replace(plan, changes=changes_since(request.against, now, target.architecture))


class _Maker:
    """Plans models a batch at a time, so that memory does not grow with the catalog."""

    def __init__(
        self,
        pinakes: Pinakes,
        target: Target,
        finder: Finder,
        verdicts: FitSource,
        price: Price,
        stack: Stack | None,
    ) -> None:
        self._catalog, self._target, self._finder = pinakes.catalog, target, finder
        self._verdicts, self._price = verdicts, price
        self._weights = stack.weights if stack is not None else {}
        self._kept: dict[int, Document] = {}

    def items(self, ids: Sequence[int], progress: Progress) -> Iterator[Item]:
        """The items, in the order of ``ids``."""
        with progress.stage(f"Planning the move to {self._target.title}", "models", len(ids)) as stage:
            for start in range(0, len(ids), _BATCH):
                batch = ids[start : start + _BATCH]
                yield from self._batch(batch)
                stage.advance(len(batch))

    def _batch(self, ids: Sequence[int]) -> Iterator[Item]:
        with self._catalog.read() as session:
            documents = entries.documents(session, ids)
            stored = planning.stored_as(session, ids)
        verdicts = self._verdicts(documents, self._target)
        open_ = [d for d in documents.values() if wants_candidates(d, self._target, verdicts.get(d.id))]
        found = self._finder.find(open_)
        decided = {
            id_: decide(
                documents[id_],
                self._target,
                found.get(id_, Found()),
                Stored(*stored.get(id_, (None, None))),
                verdicts.get(id_),
            )
            for id_ in ids
            if id_ in documents
        }
        training = self._training([id_ for id_, one in decided.items() if one.action == "retrain"])
        for id_, decision in decided.items():
            yield self._item(documents[id_], decision, training.get(id_, {}))

    def _training(self, ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
        """What files tell of how they were trained."""
        with self._catalog.read() as session:
            texts = planning.header_texts(session, ids)
        return {id_: told_facts(parse_metadata(metadata)[0]) for id_, metadata in texts.items()}

    def _lean(self, document: Document) -> Document:
        """The entry without its long texts, once: plans of large libraries stay small."""
        if document.id not in self._kept:
            self._kept[document.id] = replace(
                document, description="", prompts=(), training_tags=(), hashes=(), notes=(), category_why=""
            )
        return self._kept[document.id]

    def _item(self, document: Document, decision: Decision, facts: Mapping[str, Any]) -> Item:
        retrain = None
        if decision.action == "retrain":
            captions = [tag for tag, _ in facts.get("tag_frequency", ())] or list(document.training_tags)
            retrain = retraining(document.kind, facts, self._target, self._price, captions)
        moves = decision.action in ("update", "replace", "retrain")
        successor = decision.candidates[0].document if decision.candidates else None
        if decision.action == "retrain":
            successor = None
        known = moves and (successor is not None or decision.action == "retrain")
        return Item(
            document.name,
            document.kind,
            decision.action,
            decision.reasons,
            self._lean(document),
            tuple(replace(one, document=self._lean(one.document)) for one in decision.candidates),
            decision.conversion,
            licence_change(document, successor, self._target) if known else None,
            retrain.to_json() if retrain else None,
            self._weights.get(document.id),
        )


def _unknown_name(model: UsedModel) -> Item:
    name = model.name or (f"Civitai version {model.version_id}" if model.version_id else f"hash {model.hash}")
    told = "The catalog knows no model by this name or hash: index its folder, or crawl the hub that has it."
    return Item(name, model.kind, "unknown", (told,), weight=model.weight)


def _notes(items: Sequence[Item]) -> Iterator[str]:
    if not items:
        yield "No model is part of this plan: index a folder first, or widen the query."
    hard = sum(item.retrain is not None and item.retrain["sort"] != "adapter" for item in items)
    if hard:
        models = "model is" if hard == 1 else "models are"
        yield f"{hard} {models} of a sort that takes weeks to train; the cost in all leaves them out."
