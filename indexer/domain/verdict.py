"""A verdict: value + confidence + evidence + conflicts. Every guess is one; ``unknown`` is a verdict."""

from dataclasses import dataclass, field

from indexer.domain.header import Program

__all__ = [
    "Candidate",
    "Conflict",
    "Evidence",
    "FamilyGuess",
    "Need",
    "Rank",
    "Spread",
    "TrainedPart",
    "Verdict",
]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which rule spoke, and what it saw in words a person can check."""

    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A claim (``claim`` made by ``source``) that the tensors contradict (``found``)."""

    claim: str
    source: str
    found: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An architecture that the tensors allow; ``confidence`` 0..1 after metadata, names and claims."""

    architecture: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Rank:
    """Smallest, largest and most frequent rank of an adapter's modules."""

    min: int
    max: int
    mode: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, largest and most frequent value of a number that every module has, such as alpha."""

    min: float
    max: float
    mode: float


@dataclass(frozen=True, slots=True)
class FamilyGuess:
    """A lineage of weights that something hints at; ``confidence`` 0..1."""

    family: str
    confidence: float


@dataclass(frozen=True, slots=True)
class TrainedPart:
    """One part of a model that an adapter changes.

    ``part`` is ``denoiser``, ``text_encoder``, ``text_encoder_2`` … or ``embedding``; ``model`` the id of the
    encoder where the architecture tells which; ``blocks`` are ranges for people (``double blocks 0-18``),
    ``layers`` what is changed inside them (``attention``, ``mlp``, ``conv`` …).
    """

    part: str
    model: str | None
    blocks: tuple[str, ...]
    layers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """A part that the file works with and does not hold: ``part`` is ``vae``, ``text_encoder`` or
    ``clip_vision``, ``options`` the ids of ``architectures.toml`` that will do, best first."""

    part: str
    options: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file is, as far as its header can tell.

    ``kind``, ``adapter``, ``key_format`` and architecture ids are those of ``data/*.toml``. ``architecture``
    is the deepest node of the tree that the evidence proves; ``candidates`` lists the leaves that remain,
    best first. ``confidence`` is 0..1 for kind and architecture together. ``families`` lists the lineages
    hinted at, best first, and ``family`` the best of them where it is likely enough. ``alpha`` is the most
    frequent one, ``scale`` the factor an adapter is applied with (alpha / rank, 1.0 without alpha); ``ranks``
    and ``alphas`` are by part (``denoiser``, ``text_encoder``).
    """

    kind: str = "unknown"
    adapter: str | None = None
    key_format: str | None = None
    architecture: str | None = None
    architecture_path: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    family: str | None = None
    confidence: float = 0.0
    evidence: tuple[Evidence, ...] = field(default=())
    conflicts: tuple[Conflict, ...] = field(default=())
    rank: Rank | None = None
    alpha: float | None = None
    dtypes: dict[str, int] = field(default_factory=dict)
    quantisation: str | None = None
    parameters: int | None = None
    tensors: int = 0
    prediction_type: str | None = None
    components: tuple[str, ...] = ()
    program: Program | None = None
    families: tuple[FamilyGuess, ...] = ()
    trained: tuple[TrainedPart, ...] = ()
    needs: tuple[Need, ...] = ()
    ranks: dict[str, Rank] = field(default_factory=dict)
    alphas: dict[str, Spread] = field(default_factory=dict)
    scale: float | None = None
