"""A verdict: value + confidence + evidence + conflicts. Every guess is one; ``unknown`` is a verdict."""

from dataclasses import dataclass, field

from indexer.domain.header import Program

__all__ = ["Candidate", "Conflict", "Evidence", "Rank", "Verdict"]


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
class Verdict:
    """What a file is, as far as its header can tell.

    ``kind``, ``adapter``, ``key_format`` and architecture ids are those of ``data/*.toml``. ``architecture``
    is the deepest node of the tree that the evidence proves; ``candidates`` lists the leaves that remain,
    best first. ``confidence`` is 0..1 for kind and architecture together.
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
