"""Several pickled files that are loaded together: what all their programs would do."""

from collections.abc import Iterable

from indexer.domain.header import Program

__all__ = ["worst_program"]

_WORST_FIRST = ("dangerous-imports", "unreadable", "unknown-imports", "tensors-only")


def worst_program(programs: Iterable[Program | None]) -> Program | None:
    """The worst verdict with the imports of all; ``None`` where nothing is pickled."""
    found = [program for program in programs if program is not None]
    if not found:
        return None
    worst = min(found, key=lambda program: _place(program.verdict))
    imports = tuple(sorted({name for program in found for name in program.imports}))
    return Program(worst.verdict, imports, worst.detail)


def _place(verdict: str) -> int:
    return _WORST_FIRST.index(verdict) if verdict in _WORST_FIRST else len(_WORST_FIRST)
