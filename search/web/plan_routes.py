"""The routes of the plan's page. Making one is asked for with POST; all else is an address to keep."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.responses import Response

from indexer.errors import TemporaryError, UsageError
from search.plan_answer import Plan
from search.plan_report import plan_csv, plan_json
from search.service import Pinakes
from search.web.dependencies import Library
from search.web.events import events
from search.web.plan import plan_page
from search.web.plan_jobs import ENDED, PlanJobs, PlanState, identity_of
from search.web.plan_view import PlanAsked, plan_view
from search.web.templating import page

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_TICK = 0.25  # seconds between two looks at a plan that is being made
To = Annotated[str, Query(max_length=100)]
Words = Annotated[str, Query(max_length=2_000)]
Source = Annotated[str, Query(alias="from", max_length=100)]
Action = Annotated[str, Query(max_length=20)]
Number = Annotated[int, Query(ge=1, le=1_000_000)]


async def _jobs_of(request: Request) -> PlanJobs:
    jobs: PlanJobs = request.app.state.plans
    return jobs


async def _asked_of(
    to: To = "", source: Source = "", q: Words = "", action: Action = "", page: Number = 1
) -> PlanAsked:
    return PlanAsked(to.strip(), source.strip(), q.strip(), action, page)


async def _sent_of(
    to: Annotated[str, Form(max_length=100)] = "",
    source: Annotated[str, Form(alias="from", max_length=100)] = "",
    q: Annotated[str, Form(max_length=2_000)] = "",
) -> PlanAsked:
    return PlanAsked(to.strip(), source.strip(), q.strip())


Jobs = Annotated[PlanJobs, Depends(_jobs_of)]
Asked = Annotated[PlanAsked, Depends(_asked_of)]
Sent = Annotated[PlanAsked, Depends(_sent_of)]


@router.get("/plan")
def show_plan(pinakes: Library, jobs: Jobs, asked: Asked) -> HTMLResponse:
    """The plan, how far it is, or the form that asks for one."""
    try:
        state = jobs.state(identity_of(asked.request())) if asked.to else None
    except UsageError as error:
        return _refused(pinakes, asked, error)
    return page("plan.html", **plan_view(pinakes, asked, state))


def _refused(pinakes: Pinakes, asked: PlanAsked, error: UsageError | TemporaryError) -> HTMLResponse:
    status = 503 if isinstance(error, TemporaryError) else 400
    return page("plan.html", status, **plan_view(pinakes, asked, None, error.detail))


@router.post("/plan")
def start_plan(pinakes: Library, jobs: Jobs, sent: Sent) -> Response:
    """Make a plan, or look at the one that is being made."""
    try:
        jobs.start(sent.request())
    except (UsageError, TemporaryError) as error:
        return _refused(pinakes, sent, error)
    return RedirectResponse(sent.url(), 303)


@router.post("/plan/stop")
def stop_plan(jobs: Jobs, sent: Sent) -> Response:
    """Stop a plan that is being made."""
    jobs.stop(identity_of(sent.request()))
    return RedirectResponse(sent.url(), 303)


@router.get("/plan/events")
def watch_plan(jobs: Jobs, asked: Asked) -> StreamingResponse:
    """How far a plan is, as server-sent events: ``progress`` while it is made, ``end`` when it is not."""
    identity = identity_of(asked.request())
    return events(lambda: _told(jobs.state(identity)), _TICK)


def _told(state: PlanState | None) -> tuple[dict[str, Any], bool]:
    return ({"state": "gone"}, True) if state is None else (state.to_json(), state.state in ENDED)


@router.get("/plan/report.{ending}")
def download_plan(
    pinakes: Library, jobs: Jobs, asked: Asked, ending: Literal["html", "csv", "json"]
) -> Response:
    """The plan as a file."""
    state = jobs.state(identity_of(asked.request()))
    if state is None or state.plan is None:
        raise HTTPException(404, "This plan is not kept. Open its page and make it again.")
    text, media = _written(pinakes, state.plan, ending)
    name = f"plan-{state.plan.target.family or state.plan.target.architecture}.{ending}"
    return Response(text, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _written(pinakes: Pinakes, plan: Plan, ending: str) -> tuple[str, str]:
    if ending == "html":
        return plan_page(pinakes, plan), "text/html; charset=utf-8"
    if ending == "csv":
        return plan_csv(plan), "text/csv; charset=utf-8"
    return plan_json(plan), "application/json"
