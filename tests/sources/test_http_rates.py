"""The token bucket, on a clock of its own and on a real one."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from indexer.sources.http import HubClient, Limits
from indexer.sources.http_records import Timing
from indexer.sources.rates import Hosts, Pace, asked_wait
from tests.hub_server import HubServer, json_reply


@given(st.floats(0.5, 50), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_no_second_sees_more_than_two_seconds_worth(rate: float, pauses: list[float]) -> None:
    now, pace, sent = 0.0, Pace(rate, 0.0), []
    for pause in pauses:
        now += pause
        now += pace.reserve(now)
        sent.append(now)
    for start in sent:
        assert sum(start <= at < start + 1 for at in sent) <= 2 * max(rate, 1) + 1
    assert len(sent) <= max(now, 1) * rate + max(rate, 1) + 1


def test_a_steady_crawl_loses_nothing_to_its_pace() -> None:
    now, pace = 0.0, Pace(4.0, 0.0)
    for number in range(1, 101):
        now += pace.reserve(now)
        now += 0.6 if number % 10 == 0 else 0.05  # a slow page now and then is caught up
    assert now <= 99 / 4 + 0.6


def test_hosts_have_a_pace_each_and_holding_one_holds_only_it() -> None:
    waits: list[float] = []
    hosts = Hosts(10.0, Limits(), Timing(lambda: 0.0, waits.append))
    hosts.hold("a:1", 50.0)
    assert (hosts.turn("b:1"), hosts.turn("a:1"), hosts.turn("b:1")) == (0.0, 50.0, 0.1)


def test_threads_share_one_pace() -> None:
    with HubServer() as hub, HubClient(allowed_hosts=[hub.url], per_second=40) as hubs:
        hub.route("/models", json_reply([]))
        threads = [threading.Thread(target=hubs.get_json, args=(hub.url + "/models",)) for _ in range(12)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(hub.requests) == 12
        assert hub.requests[-1].at - began > 11 / 40 * 0.9


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=40))
def test_what_a_host_asks_for_is_never_absurd(retry: str, limit: str, date: str) -> None:
    wait = asked_wait({"retry-after": retry, "ratelimit": limit, "date": date}, 3600.0)
    assert wait is None or 0 < wait <= 3600
