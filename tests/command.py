"""The command as a person calls it, without a process of its own for each call: starting one costs a second."""

import io
import json
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from search.cli import main

__all__ = ["answer", "pinakes"]


def pinakes(*arguments: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
    """What ``pinakes ARGUMENTS`` writes and answers with; real processes are for tests of signals and pipes."""
    words = ["pinakes", *map(str, arguments)]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGPIPE)}
    out, err = _stream(), _stream()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", words)
        patch.setattr(sys, "unraisablehook", sys.unraisablehook)
        for name, value in env.items():
            patch.setenv(name, value)
        try:
            main()
            status: object = 0
        except SystemExit as end:
            status = end.code or 0
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    assert isinstance(status, int), status
    return subprocess.CompletedProcess(words, status, _text(out), _text(err))


def answer(*arguments: str | Path) -> Any:
    """What ``pinakes ARGUMENTS --json`` answers; it must end well."""
    run = pinakes(*arguments, "--json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")
