"""The tools: what each takes and answers, and how it is done. All of them only read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.catalog.roots import known_roots
from indexer.domain.field_help import field_help
from indexer.errors import UsageError
from indexer.inspecting import inspect_paths, is_url
from indexer.inspecting_remote import inspect_targets
from search import contracts
from search.checking import check_stack
from search.mcp import arguments
from search.mcp.allowed import allowed_file
from search.plan_make import PlanRequest, make_plan
from search.service import Pinakes

__all__ = ["TOOLS", "Library", "Tool"]

_MOST_PLANNED = 20_000


@dataclass(frozen=True, slots=True)
class Library:
    """What tools are run over; ``allowed`` are folders beside the indexed ones, to inspect files in."""

    pinakes: Pinakes
    allowed: Sequence[Path] = ()

    def file(self, text: str, *, picture: bool = False) -> Path:
        """A file that may be looked at. Raises ``UsageError`` as ``allowed_file``."""
        with self.pinakes.catalog.read() as session:
            roots = [path for _, path in known_roots(session)]
        return allowed_file(text, [*roots, *self.allowed], picture=picture)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as agents see it. ``run`` takes checked ``arguments``; ``reaches_out``: it may use the net."""

    name: str
    title: str
    description: str
    arguments: type[arguments.Arguments]
    answer: contracts.Schema
    run: Callable[[Library, Any], dict[str, Any]]
    reaches_out: bool = False


def _search(library: Library, asked: arguments.Search) -> dict[str, Any]:
    return library.pinakes.search(**asked.model_dump()).to_json()


def _similar(library: Library, asked: arguments.Similar) -> dict[str, Any]:
    if (asked.model is None) == (asked.picture is None):
        raise UsageError("similar", "Give a model, or the path of a picture: one of both.")
    what = asked.model if asked.picture is None else library.file(asked.picture, picture=True)
    given = asked.model_dump(exclude={"model", "picture"})
    return library.pinakes.similar(what or "", **given).to_json()


def _inspect(library: Library, asked: arguments.Inspect) -> dict[str, Any]:
    target = asked.target.strip()
    if is_url(target):
        return _only(inspect_targets([target], library.pinakes.settings))
    return _only(inspect_paths([library.file(target)]))


def _only(told: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """The one file behind a target; an address that could not be reached is raised when all are told."""
    first, *more = (one for one, _ in zip(told, range(2), strict=False))
    if more:
        raise UsageError("several", f"Several models are there. Name one's file, such as {first['path']}.")
    return first


def _show(library: Library, asked: arguments.Show) -> dict[str, Any]:
    entry = library.pinakes.find(asked.model)
    details = library.pinakes.show(entry.id)
    if details is None:
        raise UsageError("unknown_model", f"{asked.model[:200]!r} is in the catalog no more.")
    return details.to_json()


def _check(library: Library, asked: arguments.Check) -> dict[str, Any]:
    # Only what the library knows: a name is never taken for a path of this machine.
    return check_stack(library.pinakes, **asked.model_dump(), on_disk=False).to_json()


def _plan(library: Library, asked: arguments.Plan) -> dict[str, Any]:
    request = PlanRequest(asked.to, asked.source, asked.query, most=_MOST_PLANNED)
    told = make_plan(library.pinakes, request).to_json()
    items = [item for item in told["items"] if asked.action in (None, item["action"])]
    shown = items[asked.offset : asked.offset + asked.limit]
    return told | {"items": shown, "items_total": len(items), "items_offset": asked.offset}


def _fields() -> str:
    """The query language's fields, a line each."""
    lines = [f"- {row.name}: {row.help} ({row.takes}), e.g. {row.example}" for row in field_help()]
    return "\n".join(lines)


_SEARCH = """\
Find image-generation models (checkpoints, LoRAs, embeddings, VAEs, ControlNets …) in the user's library and \
in what it knows of hubs, by words and filters. What is adult or shows real persons or minors is left out \
and counted in hidden, unless the query asks for it (is:adult): do so only when the user wants that.
Fields of the query:
"""
_SIMILAR = """\
Find models whose preview pictures look like those of a model or like a picture: drawn alike (style), \
showing the same (content), both (mix); or adapters that change a model alike (weights). Narrow it by \
base and query.\
"""
_INSPECT = """\
What is this model file? Kind, architecture, family, rank and trigger words, judged by its tensors, with \
evidence, and the claims that contradict them. Nothing in the file is executed. Of a picture: how it was \
made. Takes files in indexed folders, and https addresses at hubs, of which only the header is fetched.\
"""
_SHOW = """\
Everything known of one model: its files with verdicts and evidence, where they lie (with the path that \
ComfyUI's loaders show), what each source claims, previews, training, how pictures use it (weights, \
samplers, what goes with it), statistics, the user's own notes.\
"""
_CHECK = """\
Will these models work together? Each addon is compared with the base tensor by tensor, and the addons \
with each other: what fits, what is missing, words that clash, size in memory, licence of the whole, and \
advice in words. Ask before you recommend a combination.\
"""
_PLAN = """\
If the library moves to another base model: which models come along (keep), have a newer version (update) \
or an equivalent (replace) there, and what must be trained anew (retrain), with reasons and costs. Nothing \
is changed. Totals count all models; items are listed by limit and offset.\
"""

TOOLS: Sequence[Tool] = (
    Tool("search", "Search models", f"{_SEARCH}{_fields()}", arguments.Search, contracts.HITS, _search),
    Tool("similar", "Find similar models", _SIMILAR, arguments.Similar, contracts.HITS, _similar),
    Tool(
        "inspect", "Inspect a file", _INSPECT, arguments.Inspect, contracts.FILE, _inspect, reaches_out=True
    ),
    Tool("show", "Show a model", _SHOW, arguments.Show, contracts.DETAILS, _show),
    Tool("check", "Check a stack", _CHECK, arguments.Check, contracts.CHECK, _check),
    Tool("plan", "Plan a move to another base", _PLAN, arguments.Plan, contracts.PLAN_PAGE, _plan),
)
"""All tools, in the order in which agents are told of them."""
