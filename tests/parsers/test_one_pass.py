"""A file fed to several digests at once: each sees every byte, in order, once."""

import hashlib
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.parsers import one_pass
from indexer.parsers.one_pass import OnePass

_BLOCK = one_pass._BLOCK


class Crc:
    value = 0

    def update(self, data: memoryview) -> None:
        self.value = zlib.crc32(data, self.value)


class Failing:
    def update(self, data: memoryview) -> None:
        raise ValueError("a digest that fails")


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    blocks=st.integers(0, 9),
    over=st.sampled_from([-1, 0, 1, 4097]),
    shares=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    cores=st.integers(1, 5),
)
def test_every_digest_sees_the_whole_file(
    blocks: int, over: int, shares: list[int], cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    data = bytes(range(251)) * (max(0, blocks * _BLOCK + over) // 251 + 1)
    data = data[: max(0, blocks * _BLOCK + over)]
    path = tmp_path / "file"
    path.write_bytes(data)
    digests = [[hashlib.sha256() for _ in range(count)] for count in shares]
    crc = Crc()
    told: list[int] = []
    size = OnePass([*digests, [crc]], told.append).read(bytes(path))
    assert size == sum(told) == len(data)
    assert {digest.hexdigest() for share in digests for digest in share} == {hashlib.sha256(data).hexdigest()}
    assert crc.value == zlib.crc32(data)


def test_a_digest_that_fails_ends_the_pass_for_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(8 * _BLOCK))
    before = set(threading.enumerate())
    with pytest.raises(ValueError, match="fails"):
        OnePass([[hashlib.sha256()], [Failing()], [Crc()]]).read(bytes(path))
    assert not [thread for thread in threading.enumerate() if thread not in before]


def test_a_stop_from_progress_ends_the_pass(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(32 * _BLOCK))

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        OnePass([[hashlib.sha256()], [Crc()]], stop).read(bytes(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OnePass([[Crc()]]).read(bytes(tmp_path / "none"))
