"""What loads on which architecture, and how well it will look; told by ids alone.

Where both files are there, their tensors say more (``indexer/rules/fit.py``). The rows, each with its reason
and source, are in ``indexer/data/compatibility.toml``.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from indexer.domain.vocabulary import (
    TableError,
    architecture_path,
    architectures,
    families,
    is_under,
    lookalikes,
    read_table,
)

__all__ = ["Caveat", "fit_score", "loads_on", "prediction_caveat"]

_PLAIN = "-"
_ANY = ""


class Caveat(NamedTuple):
    """A factor 0..1 on a score, and why."""

    factor: float
    why: str


class _Side(NamedTuple):
    """One side of a row: an architecture, and a family of it (``-``: none known; empty: whichever)."""

    architecture: str
    family: str

    @classmethod
    def parse(cls, text: str) -> "_Side":
        architecture, _, family = text.partition("/")
        if architecture not in architectures() or family not in (_ANY, _PLAIN, *families()):
            raise TableError(f"compatibility.toml: {text!r} is no architecture or family; see their tables")
        return cls(architecture, family)

    def depth(self, path: Sequence[str], family: str | None) -> int:
        """How closely it names a model: 0 not at all, more the deeper its node; families weigh most."""
        if self.architecture not in path:
            return 0
        if self.family not in (_ANY, family or _PLAIN):
            return 0
        return path.index(self.architecture) + 1 + (100 if self.family else 0)


class _Pair(NamedTuple):
    kinds: frozenset[str]
    adapter: _Side
    base: _Side
    score: float
    loads: bool
    why: str


def _table() -> Mapping[str, Any]:
    return read_table("compatibility.toml")


@cache
def _pairs() -> tuple[_Pair, ...]:
    found = []
    for row in _table()["pair"]:
        sides = (_Side.parse(row["adapter"]), _Side.parse(row["base"]))
        kinds = frozenset(row.get("kinds", _table()["kin"]["kinds"]))
        pair = _Pair(kinds, *sides, float(row["score"]), bool(row.get("loads")), row["why"])
        found.append(pair)
        if row.get("both"):
            found.append(pair._replace(adapter=pair.base, base=pair.adapter))
    return tuple(found)


# ---------------------------------------------------------------- what loads


def loads_on(kind: str, architecture: str | None, path: Sequence[str]) -> tuple[str, ...]:
    """Ids of the architectures on which a model of this kind and architecture loads.

    Of adapters and bases: its own, those above it (whose layout it shares) and below it, its twins, and what
    the table adds. Of a VAE or text encoder: the models that work with it. Of an upscaler: all.
    """
    return _loads_on(kind, architecture, tuple(path))


@lru_cache(maxsize=4_096)
def _loads_on(kind: str, architecture: str | None, path: tuple[str, ...]) -> tuple[str, ...]:
    if kind in _table()["free"]["kinds"]:
        return _denoisers()
    if architecture is None:
        return ()
    own = (*path, *_below(architecture))
    if kind in ("vae", "text_encoder", "clip_vision"):
        return tuple(dict.fromkeys((*own, *_served(kind, architecture))))
    if architecture not in architectures():
        return tuple(dict.fromkeys(own))
    twins = (twin for twin in architectures() if twin in lookalikes(architecture))
    return tuple(dict.fromkeys((*own, *twins, *_added(kind, architecture))))


@cache
def _denoisers() -> tuple[str, ...]:
    return tuple(key for key, row in architectures().items() if row.role == "denoiser")


@cache
def _below(architecture: str) -> tuple[str, ...]:
    return tuple(name for name in architectures() if architecture in architecture_path(name))


def _added(kind: str, architecture: str) -> Iterator[str]:
    path = architecture_path(architecture)
    for pair in _pairs():
        if pair.loads and kind in pair.kinds and pair.score > 0 and pair.adapter.architecture in path:
            yield from _below(pair.base.architecture)


def _served(kind: str, part: str) -> Iterator[str]:
    """The models that need a part: a VAE, a text encoder, a vision tower (``needs.toml``)."""
    rows = _table_of_needs()
    for model in _denoisers():
        above = reversed(architecture_path(model))
        row: Mapping[str, Any] = next((rows[node] for node in above if node in rows), {})
        wanted = row.get({"vae": "vae", "clip_vision": "vision"}.get(kind, "encoders"), ())
        options = {option for one in wanted for option in ([one] if isinstance(one, str) else one)}
        if options & {part, *_below(part)}:
            yield model


def _table_of_needs() -> Mapping[str, Any]:
    rows: Mapping[str, Any] = read_table("needs.toml")["architectures"]
    return rows


# ---------------------------------------------------------------- how well it looks


def fit_score(
    kind: str,
    architecture: str | None,
    family: str | None,
    base_architecture: str | None,
    base_family: str | None,
) -> tuple[float, str]:
    """How well a model of one lineage does on a base of another: 0..1, and a sentence.

    1 as on its own base; 0 where it does not load, or where either architecture is unknown. It says nothing
    of tensors: ask ``check_pair`` for that.
    """
    return _fit_score(kind, architecture, family, base_architecture, base_family)


@lru_cache(maxsize=65_536)
def _fit_score(
    kind: str, architecture: str | None, family: str | None, wanted: str | None, wanted_family: str | None
) -> tuple[float, str]:
    if kind in _table()["free"]["kinds"]:
        return 1.0, "It works on finished pictures, whatever drew them."
    if architecture is None or wanted is None or not {architecture, wanted} <= architectures().keys():
        return 0.0, "Its architecture, or that of the base, is not known."
    path, base_path = architecture_path(architecture), architecture_path(wanted)
    if (architecture, family) == (wanted, wanted_family):
        return _table()["default"]["same"], ""
    if kind not in _table()["kin"]["kinds"]:
        loads = wanted in loads_on(kind, architecture, path)
        return (1.0, "It belongs to this base.") if loads else (0.0, "It is for other bases.")
    rows = [
        (ours + theirs, pair)
        for pair in _pairs()
        if kind in pair.kinds
        and (ours := pair.adapter.depth(path, family))
        and (theirs := pair.base.depth(base_path, wanted_family))
    ]
    best = max(rows, key=lambda row: row[0], default=None)
    if best is not None and not _same(architecture, wanted, best[1]):
        return best[1].score, _sentence(best[1].why)
    return _default(architecture, family, wanted, wanted_family)


def _same(architecture: str, wanted: str, pair: _Pair) -> bool:
    """Whether a row about a whole branch would speak of a model and one above or below it."""
    return pair.adapter == pair.base and (is_under(architecture, wanted) or is_under(wanted, architecture))


def _default(
    architecture: str, family: str | None, wanted: str, wanted_family: str | None
) -> tuple[float, str]:
    numbers = _table()["default"]
    if is_under(architecture, wanted) or is_under(wanted, architecture):
        return _by_family(family, wanted_family, numbers)
    if wanted in lookalikes(architecture):
        return numbers["twin"], "The layout is the same; the two were trained for different ends."
    if architecture_path(architecture)[0] == architecture_path(wanted)[0]:
        return numbers["sibling"], "A sister model: what fits applies, with other results."
    return 0.0, "It was made for another model."


def _by_family(family: str | None, wanted: str | None, numbers: Mapping[str, float]) -> tuple[float, str]:
    if family == wanted:
        return numbers["same"], ""
    if family is None:
        return numbers[
            "plain_on_family"
        ], f"Made for the plain base or an unknown one, used on {_title(wanted)}."
    if wanted is None:
        return numbers["family_on_plain"], f"Made for {_title(family)}, used on a base of no known family."
    return numbers[
        "other_family"
    ], f"Made for {_title(family)}, used on {_title(wanted)}: expect other results."


def _title(family: str | None) -> str:
    return families()[family].title if family in families() and family else "an unknown family"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def prediction_caveat(prediction: str | None, base_prediction: str | None) -> Caveat | None:
    """What it costs that an adapter was trained for one prediction type and the base has another; ``None``
    where either is not known or they agree."""
    for row in _table()["prediction"]:
        if row["adapter"] == prediction and row["base"] == base_prediction:
            return Caveat(row["factor"], _sentence(row["why"]))
    return None
