"""The table of imports, and that our own package imports nothing that could unpickle."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.domain.vocabulary import read_table
from indexer.parsers.pickle_imports import ALLOWED, DANGEROUS, UNKNOWN, dotted, judge, named_in
from tests.parsers.pickle_files import EVIL, checkpoint, dictionary, legacy, named, proto, short, tensor

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "pickle",
    "_pickle",
    "pickletools",
    "joblib",
    "dill",
    "cloudpickle",
    "marshal",
    "shelve",
    "copyreg",
}


def test_every_row_says_why() -> None:
    table = read_table("pickle_imports.toml")
    for row in (*table["allow"], *table["dangerous"]):
        assert len(row["why"]) > 10
    allowed = [(row["module"], name) for row in table["allow"] for name in row["names"]]
    assert len(allowed) == len(set(allowed))
    assert not any("*" in part for pair in allowed for part in pair)


@pytest.mark.parametrize(
    ("module", "name", "judgement"),
    [
        ("torch._utils", "_rebuild_tensor_v2", ALLOWED),
        ("torch._utils", "_rebuild_tensor_v2.x", UNKNOWN),
        ("torch", "_utils._rebuild_tensor_v2", UNKNOWN),
        ("collections", "OrderedDict", ALLOWED),
        ("collections", "namedtuple", UNKNOWN),
        ("builtins", "set", ALLOWED),
        ("builtins", "eval", DANGEROUS),
        ("os", "anything", DANGEROUS),
        ("os.path", "join", DANGEROUS),
        ("osprey", "system", UNKNOWN),
        ("pathlib", "PosixPath", UNKNOWN),
        ("pathlib", "os.system", DANGEROUS),
        ("my.module", "helpers.subprocess.run", DANGEROUS),
        ("torch", "hub.load", DANGEROUS),
        ("torch.hub", "load", DANGEROUS),
        ("operator", "itemgetter", UNKNOWN),
        ("operator", "attrgetter", DANGEROUS),
        ("", "", UNKNOWN),
    ],
)
def test_judgements(module: str, name: str, judgement: str) -> None:
    assert judge(module, name) == judgement


def test_names_are_shown_in_plain_ascii() -> None:
    assert dotted("оs", "x\n") == "\\u043es.x\\n"
    assert len(dotted("m" * 9999, "n" * 9999)) <= 400


@pytest.mark.parametrize(
    "spelling", [b"cos\nsystem\n", b"ios\nsystem\n", short("os") + short("system") + b"\x93"]
)
def test_hidden_imports_are_found_wherever_they_stand(spelling: bytes) -> None:
    assert ("os", "system") in set(named_in(b"\xee\xff c" + spelling + b"rest"))
    assert not set(named_in(spelling.replace(b"os", b"ox")))


def test_the_package_cannot_unpickle() -> None:
    for path in (*ROOT.glob("indexer/**/*.py"), *ROOT.glob("search/**/*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            module = node.module if isinstance(node, ast.ImportFrom) else None
            assert not {n.split(".")[0] for n in (*names, module or "")} & FORBIDDEN, path
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "torch.load",
                "numpy.load",
                "np.load",
            ):
                assert "allow_pickle=True" not in ast.unparse(node) and "torch" not in ast.unparse(
                    node.func
                ), path


WATCH = """
import sys
from pathlib import Path
from indexer.errors import BadFileError
from indexer.parsers.torch_files import read_pickled
read_pickled(Path(sys.argv[1]))
seen = []
def hook(event, args):
    if event in ("pickle.find_class", "exec", "compile", "import", "marshal.loads", "ctypes.dlopen") or event.startswith(
        ("os.", "subprocess.", "socket.", "shutil.", "sqlite3.")
    ):
        seen.append(event)
    elif event == "open" and args[0] != watched:
        seen.append(event)
sys.addaudithook(hook)
for watched in sys.argv[2:]:
    try:
        read_pickled(Path(watched))
    except BadFileError:
        pass
print(seen)
"""


def test_reading_sets_off_nothing(tmp_path: Path) -> None:
    files = {
        "first": checkpoint(proto(dictionary({"a": tensor()})), {"0": bytes(24)}),
        "evil": proto(EVIL),
        "zip": checkpoint(proto(EVIL)),
        "old": legacy(EVIL),
        "other": proto(named("this", "that") + b")R" + named("antigravity", "fly") + b")R"),
        "broken": b"cos\n",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / name) for name in files]
    run = subprocess.run(
        [sys.executable, "-c", WATCH, *paths], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout == "[]\n", run.stdout
