"""``pinakes schedule``: jobs that are done again and again. Thin; ``indexer.cli`` mounts it."""

from typing import Annotated

import typer

from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.errors import UsageError
from indexer.jobs import JOBS
from indexer.settings import read_settings

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Do jobs again and again, while pinakes serve runs; each once, however many servers run.",
    epilog='Example: pinakes schedule add nightly index --cron "0 3 * * *"',
)

Name = Annotated[str, typer.Argument(help="The schedule's name.")]


def _jobs_told() -> str:
    told = []
    for job in JOBS.values():
        arguments = "; ".join(f"--{name} {argument.help}" for name, argument in job.arguments.items())
        told.append(f"{job.name}: {job.help}" + (f" ({arguments})" if arguments else ""))
    return "Jobs. " + ". ".join(told) + "."


@app.command(
    context_settings={"ignore_unknown_options": True},
    help=f"Add a schedule, or change the one of that name. {_jobs_told()}",
    epilog="Example: pinakes schedule add models index --folder ~/ComfyUI/models --every 6h",
)
def add(
    name: Name,
    job: Annotated[str, typer.Argument(help=f"One of: {', '.join(JOBS)}.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="The job's arguments: --NAME VALUE or NAME=VALUE.", show_default=False),
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="How long between runs: 90m, 6h, 2d, 1w.", show_default=False)
    ] = None,
    cron: Annotated[
        str | None,
        typer.Option(help="Minute, hour, day, month, weekday, in this machine's time.", show_default=False),
    ] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    from indexer import console_schedule
    from indexer.schedule import add_schedule

    if (every is None) == (cron is None):
        raise UsageError("trigger", 'Say when: either --every 6h or --cron "0 3 * * *".')
    trigger = f"every {every.strip()}" if every is not None else cron or ""
    state = add_schedule(read_settings(home), name, job, arguments or [], trigger)
    console_schedule.show_added(Console(json), state)


@app.command("list", epilog="Example: pinakes schedule list")
def list_(json: Json = False, home: Home = None) -> None:
    """All schedules: what the last run said, when the next is due."""
    from indexer import console_schedule
    from indexer.schedule import list_schedules

    console_schedule.show_schedules(Console(json), list_schedules(read_settings(home)))


@app.command(epilog="Example: pinakes schedule remove nightly")
def remove(name: Name, json: Json = False, home: Home = None) -> None:
    """Remove a schedule. A run under way goes on."""
    from indexer.schedule import remove_schedule

    console = Console(json)
    remove_schedule(read_settings(home), name)
    console.answer({"removed": name}, lambda: console.line(f"{name} is removed"))


@app.command(epilog="Example: pinakes schedule run nightly")
def run(name: Name, json: Json = False, home: Home = None) -> None:
    """Run a schedule now and wait for it. Its next time stays."""
    from indexer.schedule import run_now

    console = Console(json)
    told = run_now(read_settings(home), name, console)
    console.answer({"name": name, "result": "ok", "detail": told}, lambda: console.line(told))
