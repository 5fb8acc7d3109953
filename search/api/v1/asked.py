"""What a request for models asks: the hub's parameters as filters of ours, and as checks afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from indexer.catalog.published_records import PublishedModel
from indexer.domain.fields import FIELDS
from indexer.domain.filters import And, AnyOf, Filter, Not, Or, Range, keyword
from indexer.domain.text import words
from indexer.domain.vocabulary import base_label, read_table
from indexer.settings import Settings
from search.api.v1.errors import HubError, wrong
from search.api.v1.naming import base_model, drop_in, uses
from search.api.v1.parameters import LARGEST, Parameters, day_before
from search.api.v1.shapes import lies_here
from search.query import ParsedQuery, QueryError, parse_query
from search.safe import HIDDEN, kept_back

__all__ = ["NUMBERED", "Asked", "end_of_pages", "read_asked"]

NUMBERED = 1_000
"""Pages by number end here, as the hub's do; cursors go on."""

_MOST = 100
_SAFE_LEVELS, _ALL_LEVELS = 3, 63
Check = Callable[[PublishedModel], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. ``where`` narrows entries, ``types`` (the hub's, none: all) and ``checks`` the models that
    are found; ``levels`` is the mask of image levels to show. ``nothing``: it asks for what is never here."""

    limit: int
    page: int | None
    cursor: str | None
    sort: str
    named: bool
    parsed: ParsedQuery
    where: Filter
    types: frozenset[str] = frozenset()
    ids: Sequence[int] = ()
    checks: Sequence[Check] = field(default=())
    levels: int = _SAFE_LEVELS
    primary_only: bool = False
    nothing: bool = False

    @property
    def spoken(self) -> bool:
        """Whether there are words to rank by."""
        return bool(self.parsed.terms or self.parsed.phrases)


def read_asked(parameters: Parameters, settings: Settings) -> Asked:
    """The question that parameters ask. Raises ``HubError``: 400 for what cannot be read, 429 for pages by
    number beyond the hub's limit."""
    limit = parameters.whole("limit", 1, _MOST)
    limit = _MOST if limit is None else limit
    page, query = parameters.whole("page", 1, LARGEST), parameters.text("query")
    if query is not None and page == 1:
        page = None  # clients that number pages ask so for the beginning, from where the cursor leads on
    if page is not None and query is not None:
        raise wrong("page", "Cannot use page with query; follow the cursor instead.", "custom")
    end_of_pages(page, limit)
    sort = parameters.choice("sort", drop_in()["sort"])
    parsed = _understood(query)
    nsfw = bool(parameters.flag("nsfw"))
    numbers = parameters.numbers("ids")
    return Asked(
        limit=limit,
        page=page,
        cursor=parameters.text("cursor"),
        sort=sort or "Highest Rated",
        named=sort is not None,
        parsed=parsed,
        where=And((parsed.where, *_hidden(parameters, settings, parsed, nsfw), *_filters(parameters))),
        types=frozenset(parameters.choices("types", read_table("civitai_listing.toml")["types"])),
        ids=numbers,
        checks=_checks(parameters),
        levels=_ALL_LEVELS if nsfw or settings.show_adult or numbers else _SAFE_LEVELS,
        primary_only=bool(parameters.flag("primaryFileOnly")),
        nothing=bool(parameters.flag("hidden")),
    )


def end_of_pages(page: int | None, limit: int) -> None:
    """Raises ``HubError`` (429) for a page by number that lies too far. Clients tell it from a throttled
    answer, which they ask again, by these words."""
    if page is not None and page * limit > NUMBERED:
        raise HubError(
            429,
            f"That is too many pages: by number they end at {NUMBERED:,} items. Use cursors instead.",
        )


def _understood(query: str | None) -> ParsedQuery:
    """Our query language; what it does not understand counts as plain words."""
    try:
        return parse_query(query or "")
    except QueryError:
        return parse_query(" ".join(f'"{word}"' for word in words(query or "")))


def _hidden(parameters: Parameters, settings: Settings, parsed: ParsedQuery, nsfw: bool) -> Sequence[Filter]:
    flags = set() if nsfw else set(kept_back(settings, parsed))
    flags |= {
        flag
        for flag, name in (("real_person", "disablePoi"), ("minor", "disableMinor"))
        if parameters.flag(name)
    }
    return [Not(AnyOf(FIELDS["is"], tuple(flag for flag in HIDDEN if flag in flags)))] if flags else []


def _filters(parameters: Parameters) -> Sequence[Filter]:
    found: list[Filter] = []
    for name, attribute in (("tag", "tag"), ("username", "creator")):
        if (value := parameters.text(name)) is not None:
            found.append(AnyOf(FIELDS[attribute], (keyword(value),)))
    if types := parameters.choices("types", read_table("civitai_listing.toml")["types"]):
        rows = read_table("sidecars.toml")["kinds"]
        kinds = {rows.get(word.lower(), "unknown") for word in types}
        kinds |= {"diffusion_model"} if "Checkpoint" in types else set()
        kinds |= {"control_lora"} if "LORA" in types else set()
        kinds |= {"t2i_adapter"} if "Controlnet" in types else set()
        found.append(AnyOf(FIELDS["type"], tuple(sorted(kinds))))
    if bases := parameters.many("baseModels"):
        found.append(_bases(bases))
    period = parameters.choice("period", (*drop_in()["days"], "AllTime"))
    if period in drop_in()["days"]:
        day = day_before(datetime.now(UTC).date(), drop_in()["days"][period])
        found.append(Range(FIELDS["created"], low=day))
    if (rating := parameters.number("rating")) is not None:
        found.append(Range(FIELDS["rating"], low=rating))
    if parameters.flag("favorites"):
        found.append(AnyOf(FIELDS["is"], ("favourite",)))
    return found


def _bases(labels: Sequence[str]) -> Filter:
    """Entries that claim a label, and those of its architecture: what is found is checked by its label."""
    known = {label: base_label(label) for label in labels}
    names = {keyword(name) for label, row in known.items() for name in (label, *_spellings(row))}
    trees = {row.architecture for row in known.values() if row is not None and row.architecture}
    claimed = AnyOf(FIELDS["base"], tuple(sorted(names)))
    return Or((claimed, AnyOf(FIELDS["arch"], tuple(sorted(trees))))) if trees else claimed


def _spellings(label: object) -> Sequence[str]:
    return (getattr(label, "id", ""), *getattr(label, "aliases", ())) if label is not None else ()


def _checks(parameters: Parameters) -> Sequence[Check]:
    checks: list[Check] = []
    if bases := parameters.many("baseModels"):
        wanted = {keyword(row.id if (row := base_label(label)) else label) for label in bases}
        checks.append(lambda model: any(keyword(base_model(facts)) in wanted for facts in model.entries))
    checks += _said_checks(parameters)
    if allowed := parameters.choices("allowCommercialUse", read_table("civitai_listing.toml")["commercial"]):
        checks.append(lambda model: _permitted(model, allowed))
    return checks


def _said_checks(parameters: Parameters) -> Sequence[Check]:
    """What is kept as the hub said it, and asked too rarely for a field of its own."""
    names = {
        "allowNoCredit": "allowNoCredit",
        "allowDerivatives": "allowDerivatives",
        "allowDifferentLicenses": "allowDifferentLicense",
        "fromPlatform": "fromPlatform",
    }
    wanted = {key: flag for name, key in names.items() if (flag := parameters.flag(name)) is not None}
    checks: list[Check] = []
    if wanted:
        checks.append(
            lambda model: all(bool((model.said or {}).get(key)) is flag for key, flag in wanted.items())
        )
    if (able := parameters.flag("supportsGeneration")) is not None:
        checks.append(lambda model: _generates(model) is able)
    kind = parameters.choice("checkpointType", read_table("civitai_listing.toml")["checkpoint_type"])
    if kind is not None:
        known = {"Trained", "Standard"} if kind in ("Trained", "Standard") else {kind}
        checks.append(lambda model: (model.said or {}).get("checkpointType", "Trained") in known)
    if parameters.flag("earlyAccess"):
        today = datetime.now(UTC).isoformat()
        checks.append(lambda model: any(_early(version.said, today) for version in model.versions))
    return checks


def _generates(model: PublishedModel) -> bool:
    """Whether pictures can be made with a model: as its hub says, else where a file of it lies here. Some
    clients ask for nothing else."""
    said = (model.said or {}).get("supportsGeneration")
    return said if isinstance(said, bool) else lies_here(model)


def _early(said: object, today: str) -> bool:
    ends = said.get("earlyAccessEndsAt") if isinstance(said, dict) else None
    return isinstance(ends, str) and ends > today


def _permitted(model: PublishedModel, allowed: Sequence[str]) -> bool:
    have = set(uses((model.said or {}).get("allowCommercialUse"), model.entries)) - {"None"}
    return bool(have & set(allowed)) or (not have and "None" in allowed)
