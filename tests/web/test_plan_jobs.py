"""Plans behind the page: one at a time, stopped when asked, kept while they are good, forgotten in bounds."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from indexer.errors import TemporaryError, UsageError
from indexer.settings import Settings
from search.plan_make import PlanRequest
from search.service import Pinakes
from search.web.plan_jobs import ENDED, Identity, PlanJobs, identity_of
from tests.api.serving import serving


@pytest.fixture(scope="module")
def library(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as pinakes:
        yield pinakes


@pytest.fixture
def jobs(library: Pinakes) -> Iterator[PlanJobs]:
    made = PlanJobs(library)
    yield made
    made.close()


def until(told: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(jobs: PlanJobs, identity: Identity) -> bool:
    state = jobs.state(identity)
    return state is not None and state.state in ENDED


def test_a_plan_is_made_once_and_kept(jobs: PlanJobs) -> None:
    request = PlanRequest("flux2-klein-9b", query="  type:lora ")
    identity = jobs.start(request)
    assert jobs.start(PlanRequest("flux2-klein-9b", query="type:lora")) == identity
    until(lambda: ended(jobs, identity))
    state = jobs.state(identity)
    assert state is not None and state.state == "done" and not state.older
    assert state.plan is not None and len(state.plan.items) > 10
    jobs.start(request)
    again = jobs.state(identity)
    assert again is not None and again.plan is state.plan


def test_it_stops_when_asked(jobs: PlanJobs) -> None:
    first, second = jobs.start(PlanRequest("sdxl")), jobs.start(PlanRequest("sd1"))
    jobs.stop(second)
    jobs.stop(first)
    until(lambda: ended(jobs, first) and ended(jobs, second))
    state = jobs.state(second)
    assert state is not None and state.state == "stopped" and state.plan is None
    jobs.stop(second)  # again changes nothing
    jobs.start(PlanRequest("sd1", query="type:vae"))


def test_one_at_a_time(jobs: PlanJobs) -> None:
    first, second = (jobs.start(PlanRequest("flux1-dev", query=f"type:{kind}")) for kind in ("lora", "vae"))
    while not ended(jobs, second):
        later = jobs.state(second)
        if later is not None and later.state != "waiting":
            assert ended(jobs, first)
        time.sleep(0.002)


def test_too_many_are_refused(jobs: PlanJobs) -> None:
    with pytest.raises(TemporaryError, match="waiting"):
        for number in range(50):
            jobs.start(PlanRequest("flux1-dev", query=f"type:lora rank:>{number}"))


def made(jobs: PlanJobs, kind: str) -> Identity:
    identity = jobs.start(PlanRequest("sdxl", query=f"type:{kind}"))
    until(lambda: ended(jobs, identity))
    return identity


def test_only_some_are_kept(library: Pinakes) -> None:
    jobs = PlanJobs(library, kept=2)
    identities = [made(jobs, kind) for kind in ("vae", "upscaler", "controlnet")]
    assert [jobs.state(identity) is None for identity in identities] == [True, False, False]
    jobs.close()


def test_none_is_kept_for_ever(library: Pinakes) -> None:
    jobs = PlanJobs(library, seconds=0.05)
    identity = jobs.start(PlanRequest("sdxl", query="type:vae"))
    until(lambda: jobs.state(identity) is None)
    jobs.close()


@pytest.mark.parametrize(
    "request_", [PlanRequest("nonsense"), PlanRequest(""), PlanRequest("sdxl", query="rank:x")]
)
def test_what_cannot_be_planned_is_told_at_once(jobs: PlanJobs, request_: PlanRequest) -> None:
    with pytest.raises(UsageError):
        jobs.start(request_)


def test_spellings_of_a_question_are_one(library: Pinakes) -> None:
    assert identity_of(PlanRequest("FLUX.2 Klein 9B")) == identity_of(PlanRequest("flux2-klein-9b"))
    assert identity_of(PlanRequest("illustrious")) != identity_of(PlanRequest("sdxl"))


# ---------------------------------------------------------------- over HTTP


def test_progress_is_sent_as_events(demo_home: Settings) -> None:
    with (
        serving(demo_home) as address,
        httpx.Client(base_url=address, timeout=120, trust_env=False) as client,
    ):
        started = client.post("/plan", files={"to": (None, "sd3.5-large")})
        assert started.status_code == 303 and started.headers["location"] == "/plan?to=sd3.5-large"
        with client.stream("GET", "/plan/events?to=sd3.5-large") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = list(answer.iter_lines())
        assert "event: end" in lines
        assert '"state":"done"' in [line for line in lines if line.startswith("data:")][-1]
        gone = client.get("/plan/events?to=sd1").text
        assert gone == 'event: end\ndata: {"state":"gone"}\n\n'
        assert client.get("/plan/report.csv?to=sd1").status_code == 404
        assert client.get("/plan/report.exe?to=sd1").status_code == 404


@pytest.mark.parametrize("path", ["/plan", "/plan/stop", "/stack/open"])
def test_other_pages_can_start_and_stop_nothing(demo_home: Settings, path: str) -> None:
    with serving(demo_home) as address:
        for headers in ({"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            files = {"to": (None, "sdxl")}
            answer = httpx.post(address + path, files=files, headers=headers, timeout=60, trust_env=False)
            assert answer.status_code == 403
        assert httpx.get(address + "/plan/stop", timeout=60, trust_env=False).status_code == 405


@pytest.mark.parametrize(
    ("sent", "told"), [({"to": "sdxl", "q": "rank:abc"}, "abc"), ({"to": "nonsense"}, "nonsense")]
)
def test_wrong_questions_are_told_on_the_page(demo_home: Settings, sent: dict[str, str], told: str) -> None:
    with serving(demo_home) as address:
        files = {name: (None, value) for name, value in sent.items()}
        for answer in (
            httpx.post(f"{address}/plan", files=files, timeout=60, trust_env=False),
            httpx.get(f"{address}/plan", params=sent, timeout=60, trust_env=False),
        ):
            assert answer.status_code == 400
            assert 'role="alert"' in answer.text and told in answer.text
        refused = httpx.post(
            f"{address}/stack/open", files={"image": b"no picture"}, timeout=60, trust_env=False
        )
        assert refused.status_code == 400 and "names no model" in refused.text
