"""What can be done on a schedule: a table of jobs, each with its arguments checked.

A job is a function of its arguments that writes through ``pipeline.writing`` in small transactions, tells
``progress`` of every step (that is where it is stopped), and answers a sentence. A new one is a row in
``JOBS``. Heavy modules are imported inside the functions, so that listing jobs loads nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.errors import BadFileError, UsageError
from indexer.progress import Progress
from indexer.settings import Settings

__all__ = ["JOBS", "Argument", "Job", "job_named", "read_arguments"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a job. ``read`` makes JSON data of the word given, or raises ``ValueError`` that says
    what is wrong; ``many`` collects a list; a ``flag`` may stand without a word."""

    help: str
    read: Callable[[str], Any] = str
    many: bool = False
    flag: bool = False
    required: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job. ``run(arguments, settings, progress)`` does it and answers what it did in a sentence; arguments
    that were not given are absent. A ``PinakesError`` is a failed run, told by its sentence; ``CatalogError``
    with the code ``locked`` is tried again in a minute."""

    name: str
    help: str
    run: Callable[[Mapping[str, Any], Settings, Progress], str]
    arguments: Mapping[str, Argument] = field(default_factory=dict)


def job_named(name: str) -> Job:
    """Raises ``UsageError`` (``job``) that names the jobs there are."""
    if name not in JOBS:
        raise UsageError("job", f"There is no job {name!r}. Choose one of: {', '.join(JOBS)}.")
    return JOBS[name]


def read_arguments(job: Job, words: Sequence[str]) -> dict[str, Any]:
    """Arguments from the words of a command line: ``--name value``, ``--name=value`` or ``name=value``.

    Raises ``UsageError`` (``argument``) that names the word at fault.
    """
    found: dict[str, Any] = {}
    for name, word in _pairs(job, words):
        argument = job.arguments[name]
        try:
            value = _flag(word) if argument.flag else argument.read(word)
        except ValueError as error:
            raise UsageError("argument", f"{job.name}: {name}={word!r} cannot be used: {error}.") from error
        if argument.many:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise UsageError("argument", f"{job.name}: {name} is given twice.")
        else:
            found[name] = value
    for name, argument in job.arguments.items():
        if argument.required and name not in found:
            raise UsageError("argument", f"{job.name} needs --{name}: {argument.help}.")
    return found


def _pairs(job: Job, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, given, value = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if name not in job.arguments:
            known = ", ".join(f"--{name}" for name in job.arguments) or "none"
            raise UsageError("argument", f"{job.name} does not take {word!r}. Its arguments: {known}.")
        if not given and job.arguments[name].flag:
            value = "yes"
        elif not given:
            if not rest:
                raise UsageError("argument", f"{job.name}: --{name} lacks its value.")
            value = rest.pop(0)
        yield name, value


def _flag(word: str) -> bool:
    if word.lower() in ("yes", "true", "1", "no", "false", "0"):
        return word.lower() in ("yes", "true", "1")
    raise ValueError("say yes or no")


def _folder(word: str) -> str:
    path = Path(word).expanduser().resolve()
    if not path.is_dir():
        raise ValueError("there is no such folder")
    return str(path)


def _file(word: str) -> str:
    path = Path(word).expanduser().resolve()
    if not path.is_file():
        raise ValueError("there is no such file")
    return str(path)


def _index(arguments: Mapping[str, Any], settings: Settings, progress: Progress) -> str:
    from indexer.pipeline import index_folders

    folders = [Path(folder) for folder in arguments.get("folder", ())]
    report = index_folders(folders, settings, progress, hash_all=arguments.get("hash", False))
    scans = report.scans.values()
    return (
        f"{sum(s.read for s in scans):,} files read, {sum(s.unchanged for s in scans):,} unchanged, "
        f"{sum(s.quarantined for s in scans):,} quarantined, {sum(s.missing for s in scans):,} missing; "
        f"{report.published:,} entries published"
    )


def _import(arguments: Mapping[str, Any], settings: Settings, progress: Progress) -> str:
    from indexer.importing import import_dumps

    report = import_dumps([Path(file) for file in arguments["file"]], settings, progress)
    told = f"{report.models:,} models, {report.versions:,} versions, {report.refused:,} refused"
    if report.problems:
        raise BadFileError("dump", f"{told}; {' '.join(report.problems.values())}")
    return told


def _upkeep(arguments: Mapping[str, Any], settings: Settings, progress: Progress) -> str:
    from indexer.upkeep import keep_up

    report = keep_up(settings, progress)
    return f"{report.published:,} entries and {report.vectors:,} vectors published; the catalog is tidied"


def _hub(name: str) -> Callable[[Mapping[str, Any], Settings, Progress], str]:
    def run(arguments: Mapping[str, Any], settings: Settings, progress: Progress) -> str:
        from indexer import hub_jobs

        work: Callable[[Mapping[str, Any], Settings, Progress], str] = getattr(hub_jobs, name)
        return work(arguments, settings, progress)

    return run


def _count(word: str) -> int:
    if not (word.isascii() and word.isdigit() and 0 < int(word) < 10**9):
        raise ValueError("say how many, 1 or more")
    return int(word)


JOBS: Mapping[str, Job] = {
    job.name: job
    for job in (
        Job(
            "index",
            "read model folders again",
            _index,
            {
                "folder": Argument("a folder; none: all known ones", _folder, many=True),
                "hash": Argument("hash every file in full", flag=True),
            },
        ),
        Job(
            "import",
            "read dumps of a hub again",
            _import,
            {"file": Argument("a dump", _file, many=True, required=True)},
        ),
        Job("upkeep", "bring stale indexes up to date and tidy the catalog", _upkeep),
        Job(
            "crawl",
            "read models from Civitai, or what it lists beside them",
            _hub("crawl_civitai"),
            {
                "what": Argument("models, images, creators, tags or enums; models unless said"),
                "query": Argument("words to look for"),
                "tag": Argument("only models with this tag"),
                "username": Argument("only models of this creator"),
                "types": Argument("LORA, Checkpoint …", many=True),
                "base_models": Argument("a base model such as 'SDXL 1.0'", many=True),
                "sort": Argument("Newest, 'Most Downloaded' …"),
                "period": Argument("Day, Week, Month, Year or AllTime"),
                "nsfw": Argument("adult models too", flag=True),
                "ask": Argument("any other parameter of the listing, NAME=VALUE", many=True),
                "limit": Argument("so many items", _count),
                "previews": Argument("fetch pictures too", flag=True),
            },
        ),
        Job(
            "refresh",
            "ask Civitai anew for all models known from there",
            _hub("refresh_models"),
            {"previews": Argument("fetch pictures too", flag=True)},
        ),
        Job(
            "identify",
            "ask Civitai which models my hashed files are",
            _hub("identify_files"),
            {"previews": Argument("fetch pictures too", flag=True)},
        ),
        Job(
            "updates",
            "count newer releases of what I have",
            _hub("check_updates"),
            {"any_base": Argument("for other bases too", flag=True)},
        ),
    )
}
