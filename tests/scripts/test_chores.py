"""The chores are sound shell, and say what to do when called wrongly."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHORES = sorted(p for p in (ROOT / "scripts").iterdir() if p.is_file())


@pytest.mark.parametrize("chore", [*CHORES, ROOT / ".ci" / "run"], ids=lambda p: p.name)
def test_the_shell_understands_it(chore: Path) -> None:
    subprocess.run(["bash", "-n", chore], check=True)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["scripts/bench", "nothing"], "there is no benchmark 'nothing'. Choose: "),
        (["scripts/evaluate", "nothing"], "there is no evaluation 'nothing'. Choose: "),
        (["scripts/quickstart", "/no/such/folder"], "there is no folder '/no/such/folder'"),
    ],
)
def test_a_wrong_call_is_told(command: list[str], message: str) -> None:
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert message in run.stderr


def test_every_benchmark_and_evaluation_is_described() -> None:
    for name, folder in (("bench", "benchmarks"), ("evaluate", "evaluations")):
        told = (ROOT / "scripts" / name).read_text("utf-8")
        for module in (ROOT / "scripts" / folder).glob("[a-z]*.py"):
            if "def main(" in module.read_text("utf-8"):
                assert f"#   {module.stem} " in told


def test_ci_runs_what_contributors_run() -> None:
    assert (ROOT / ".ci" / "run").read_text("utf-8").rstrip().endswith("exec scripts/test")
