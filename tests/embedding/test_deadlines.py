import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from indexer.embedding.deadlines import Deadlines
from tests.clocks import PATIENCE

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def test_a_question_that_takes_too_long_ends_its_process(sleeper: subprocess.Popen[bytes]) -> None:
    deadlines = Deadlines(0.2)
    with deadlines.over(sleeper) as asked:
        assert sleeper.wait(timeout=PATIENCE) < 0
    assert asked.late
    deadlines.close()


def test_an_answered_question_lets_its_process_live(sleeper: subprocess.Popen[bytes]) -> None:
    deadlines = Deadlines(1.0)
    with deadlines.over(sleeper) as asked:
        assert not asked.late
    time.sleep(1.3)
    assert sleeper.poll() is None and not asked.late
    deadlines.close()


def test_closed_and_asked_again_it_looks_again(sleeper: subprocess.Popen[bytes]) -> None:
    deadlines = Deadlines(0.2)
    deadlines.close()
    deadlines.close()
    with deadlines.over(sleeper) as asked:
        assert sleeper.wait(timeout=PATIENCE) < 0
    assert asked.late
    deadlines.close()
