"""The library as programs hold it: all that the command can ask, as methods. ``from search import Pinakes``.

Light to import: what reads catalog and indexes is loaded by the first question.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from indexer.settings import Settings, read_settings

if TYPE_CHECKING:
    from indexer.catalog.details import VersionDetails
    from indexer.domain.records import Document
    from search.answers import Answer
    from search.comfyui_paths import ComfyPaths
    from search.duplicates import Duplicates
    from search.lineage import Lineage
    from search.map import StyleMap
    from search.mislabelled import Mislabelled
    from search.plan_answer import Plan
    from search.service import Pinakes as Service
    from search.stack import Stack

__all__ = ["Pinakes"]


class Pinakes:
    """An open library to ask; a context manager, and many threads may share it. Nothing is opened before it
    is needed. Answers have ``to_json()``, the public contract of ``--json``.

    ``home`` is where the catalog is kept; None: ``PINAKES_HOME``, else the platform's data folder. Other
    settings are read from ``PINAKES_*``, unless ``settings`` are given. Every method may raise
    ``CatalogError`` when the catalog cannot be opened, and ``UsageError`` (``QueryError`` for a query, with a
    caret) for arguments that cannot be.
    """

    def __init__(self, settings: Settings | None = None, *, home: str | Path | None = None) -> None:
        folder = None if home is None else Path(home).expanduser()
        self.settings = settings or read_settings(folder)
        self._opening = threading.Lock()
        self._opened: Service | None = None

    @property
    def service(self) -> "Service":
        """What wires catalog and indexes, for those who need more than the methods here."""
        from search.service import Pinakes as Service

        with self._opening:
            if self._opened is None:
                self._opened = Service(self.settings)
            return self._opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give connections and worker processes back; asked again, the library opens again."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def search(
        self,
        query: str = "",
        *,
        image: bytes | Path | None = None,
        base: str | None = None,
        sort: str = "relevance",
        limit: int = 24,
        offset: int = 0,
        seed: int = 0,
        typing: bool = False,
        versions: bool = False,
        facets: bool = True,
    ) -> "Answer":
        """Models by words and filters (``pinakes fields`` lists them), and by what is in a picture.

        ``base`` is an architecture or a family as people call it; what does not fit falls back. ``sort`` is
        ``relevance``, ``newest``, ``updated``, ``rating``, ``downloads``, ``size``, ``name`` or ``random``
        (by ``seed``). ``limit`` is at most 200. ``typing``: the last word may be unfinished. ``versions``:
        each release is a hit. What is adult or shows real people is left out and counted, unless asked for.
        """
        return self.service.search(
            query,
            image=image,
            base=base,
            sort=sort,
            limit=limit,
            offset=offset,
            seed=seed,
            typing=typing,
            versions=versions,
            facets=facets,
        )

    def similar(
        self,
        what: int | str | Path | bytes,
        *,
        by: str = "style",
        base: str | None = None,
        query: str = "",
        limit: int = 24,
        offset: int = 0,
        min_score: float | None = None,
        versions: bool = False,
    ) -> "Answer":
        """Models that look like a picture (a path or bytes) or like a model (id or name).

        ``by`` is ``style``, ``content``, ``mix`` or ``weights`` (how adapters change a model). ``min_score``,
        0 to 1, is what is still called similar; None: a measured cut-off.
        """
        return self.service.similar(
            what,
            by=by,
            base=base,
            query=query,
            limit=limit,
            offset=offset,
            min_score=min_score,
            versions=versions,
        )

    def find(self, what: int | str) -> "Document":
        """The one model that an id, a name, a path or a hash means."""
        return self.service.find(what)

    def show(self, what: int | str) -> "VersionDetails":
        """Everything known of one model: files with verdicts and evidence, claims by source, usage."""
        from indexer.errors import UsageError

        details = self.service.show(self.find(what).id)
        if details is None:
            raise UsageError("unknown_model", f"{str(what)[:200]!r} is in the catalog no more.")
        return details

    def check(
        self,
        base: str,
        addons: Sequence[str] = (),
        *,
        precision: str = "fp16",
        deep: bool = False,
        on_disk: bool = True,
    ) -> "Stack":
        """Whether ``addons`` work on ``base`` and beside each other.

        Each is an id, name, path or hash; the base may be an architecture; ``NAME:0.8`` gives a weight.
        ``deep`` reads the adapters' weights too. ``on_disk`` off: only what the library knows is looked at.
        """
        from search.checking import check_stack

        return check_stack(self.service, base, addons, precision=precision, deep=deep, on_disk=on_disk)

    def plan(
        self,
        to: str,
        source: str | None = None,
        query: str = "",
        *,
        stack: Path | bytes | None = None,
        against: Mapping[str, Any] | None = None,
        price_per_hour: float | None = None,
        currency: str | None = None,
    ) -> "Plan":
        """What happens to each model that works with ``source`` (None: to all) when the library moves to the
        base ``to``. Nothing is changed.

        ``stack`` is an image or a workflow: its models are planned instead. ``against`` is an earlier plan's
        ``to_json()``.
        """
        from search.plan_cost import Price
        from search.plan_make import PlanRequest, make_plan

        price = Price(price_per_hour, currency)
        return make_plan(self.service, PlanRequest(to, source, query, stack, against, price))

    def lineage(self, what: int | str, *, depth: int = 3) -> "Lineage":
        """What a model was made from, what was made from it, and who is like it, ``depth`` (1 to 6)
        generations up and down."""
        from search.lineage import trace_lineage

        return trace_lineage(self.service, what, depth=depth)

    def duplicates(self, *, limit: int | None = None, offset: int = 0) -> "Duplicates":
        """What lies several times, most bytes first; ``limit`` counts groups, None: all."""
        return self.service.duplicates(limit=limit, offset=offset)

    def mislabelled(self, query: str = "", *, limit: int | None = None, offset: int = 0) -> "Mislabelled":
        """Models whose claims the tensors contradict; its ``items`` are read as they are asked for, so take
        them before the library is closed."""
        return self.service.mislabelled(query, limit=limit, offset=offset)

    def map(self, query: str = "") -> "StyleMap":
        """The styles of what matches, laid out in the plane with named neighbourhoods."""
        return self.service.map(query)

    def stats(self) -> dict[str, Any]:
        """Counts over the library."""
        return self.service.stats()

    def comfyui_paths(self) -> "ComfyPaths":
        """The library's folders as ComfyUI's ``extra_model_paths.yaml`` lists them."""
        from search.comfyui_paths import comfy_paths

        return comfy_paths(self.service)

    @staticmethod
    def inspect(path: str | Path, *, hashes: bool = False) -> dict[str, Any]:
        """What a model file is, or how a picture was made: an object of ``pinakes inspect --json``. Needs no
        library."""
        from indexer.errors import UsageError
        from indexer.inspecting import inspect_paths

        target = Path(path)
        if target.is_dir():
            raise UsageError("folder", f"{str(target)!r} is a folder. Name one file of it.")
        return next(inspect_paths([target], hashes=hashes))
