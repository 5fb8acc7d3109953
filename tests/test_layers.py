"""The layers of the design, read from the imports of every module."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEAVES = ("parsers", "rules", "sources", "catalog", "embedding", "indexes", "demo")
COMMON = ("indexer.domain", "indexer.settings", "indexer.errors", "indexer.data")
QUERY = tuple(f"search.query_{part}" for part in ("grammar", "notes", "prompts", "tokens", "values"))
STACK = tuple(f"search.stack_{part}" for part in ("advice", "licence", "pairs", "records", "size"))
_EXPORTING = ("comfyui", "graph", "guides", "infotext", "json", "nodes", "recipe", "table")
EXPORT = tuple(f"search.stack_{part}" for part in _EXPORTING)

ALLOWED: dict[str, tuple[str, ...]] = {
    "indexer.domain": ("indexer.domain", "indexer.data"),
    "indexer.settings": ("indexer.errors",),
    "indexer.errors": (),
    **{f"indexer.{leaf}": (f"indexer.{leaf}", *COMMON) for leaf in LEAVES},
    "search.query": (*QUERY, "indexer.domain", "indexer.errors"),
    **dict.fromkeys(QUERY, (*QUERY, "indexer.domain", "indexer.errors")),
    "search.weights": ("search.data",),
    "search.signals": ("indexer.domain", "search.weights"),
    "search.phrases": ("indexer.domain", "search.signals"),
    "search.explain": ("indexer.domain", "search.phrases"),
    "search.ranking": (
        "indexer.domain",
        "search.explain",
        "search.card_columns",
        "search.signals",
        "search.weights",
    ),
    "search.card_columns": ("indexer.domain", "search.signals"),
    "search.stack": ("indexer.domain", *STACK),
    **dict.fromkeys(STACK, ("indexer.domain", *STACK)),
    **dict.fromkeys(EXPORT, ("indexer.domain", "search.stack", *STACK, *EXPORT)),
    "search.plan_table": ("search.data",),
    "search.plan_licence": ("indexer.domain", "search.plan_fit"),
    **dict.fromkeys(
        ("search.plan", "search.plan_fit", "search.plan_signals", "search.plan_cost", "search.plan_answer"),
        ("indexer.domain", "search.plan", *(f"search.plan_{part}" for part in ("fit", "table"))),
    ),
}
"""Prefix of a module -> prefixes of ours that it may import. Others are free within their package's rules."""

ONLY_IN: dict[str, str] = {
    "sqlalchemy": "indexer.catalog",
    "alembic": "indexer.catalog",
    "torch": "indexer.embedding",
    "open_clip": "indexer.embedding",
    "faiss": "indexer.indexes",
    "tantivy": "indexer.indexes",
    "fastapi": "search",
    "mcp": "search.mcp",
    "pickle": "nowhere",
}
"""A package of others -> the only part of ours that may import it."""


def modules() -> dict[str, Path]:
    found = {}
    for top in ("indexer", "search"):
        for path in sorted((ROOT / top).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(path: Path) -> set[str]:
    """Names of modules that a file imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module}
            names |= {f"{node.module}.{a.name}" for a in node.names if f"{node.module}.{a.name}" in MODULES}
    return names


def under(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_its_layer_may(name: str) -> None:
    ours = {i for i in imports(MODULES[name]) if i.split(".")[0] in ("indexer", "search")}
    for prefix, allowed in ALLOWED.items():
        if under(name, (prefix,)):
            assert {i for i in ours if not under(i, allowed)} <= {"indexer"}
    if name.startswith("indexer"):
        assert not {i for i in ours if i.startswith("search")}
    if not name.startswith(("indexer.domain", "indexer.data")):
        return
    others = {i.split(".")[0] for i in imports(MODULES[name])} - {"indexer"}
    assert others <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_heavy_package_is_imported_in_one_place(package: str) -> None:
    users = {n for n, path in MODULES.items() if package in {i.split(".")[0] for i in imports(path)}}
    assert all(under(user, (ONLY_IN[package],)) for user in users), users


def test_there_are_no_import_cycles() -> None:
    graph = {name: {i for i in imports(path) if i in MODULES and i != name} for name, path in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for child in sorted(graph[name]):
                # A package is imported before its modules; that is no cycle of ours.
                if not name.startswith(child + "."):
                    visit(child, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


HEAVY = ("torch", "open_clip", "faiss", "sqlalchemy", "tantivy", "numpy", "fastapi")


@pytest.mark.parametrize(
    "code",
    [
        "from search.cli import main; import sys; sys.argv = ['pinakes', '--help']; main()",
        "from search.query import parse_query; parse_query('a type:lora')",
    ],
)
def test_light_uses_load_nothing_heavy(code: str) -> None:
    watched = f"import atexit, sys; atexit.register(lambda: print('HEAVY', sorted(set(sys.modules) & set({HEAVY!r}))))"
    run = subprocess.run(
        [sys.executable, "-c", f"{watched}\n{code}"], capture_output=True, text=True, check=True
    )
    assert run.stdout.rstrip().endswith("HEAVY []")
