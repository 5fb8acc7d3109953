"""Batches side by side: order, errors, and what stays as it was for everybody else."""

import threading
from typing import Any

import pytest

from indexer.embedding.lanes import Lanes
from indexer.embedding.torchvision_shim import import_open_clip


@pytest.fixture(scope="module")
def torch() -> Any:
    import_open_clip()
    import torch

    return torch


def test_results_come_in_order_and_lanes_compute_alone(torch: Any) -> None:
    before = torch.get_num_threads()
    lanes = Lanes(torch, 3, on_cpu=True)
    seen = lanes.each(lambda item: (item, torch.get_num_threads()), list(range(20)))
    assert [item for item, _ in seen] == list(range(20))
    assert {threads for _, threads in seen} == {1}
    assert torch.get_num_threads() == before
    later: list[int] = []
    other = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert later == [before], "threads to come compute as before"


def test_a_single_piece_of_work_is_done_by_the_caller(torch: Any) -> None:
    assert Lanes(torch, 2, on_cpu=True).each(lambda _: threading.current_thread(), [1]) == [
        threading.current_thread()
    ]


def test_what_fails_in_a_lane_fails_for_the_caller(torch: Any) -> None:
    lanes = Lanes(torch, 2, on_cpu=True)
    with pytest.raises(ZeroDivisionError):
        lanes.each(lambda item: 1 / item, [1, 0])
    assert lanes.each(lambda item: item, [1, 2]) == [1, 2]
