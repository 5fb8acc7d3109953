"""Work with hubs as scheduled jobs: functions of arguments, settings and progress that answer a sentence."""

from collections.abc import Mapping
from typing import Any

from indexer import crawl
from indexer.errors import TemporaryError
from indexer.hub_questions import civitai_question, read_asked
from indexer.hub_run import HubRun
from indexer.progress import Progress
from indexer.settings import Settings

__all__ = ["check_updates", "crawl_civitai", "identify_files", "refresh_models"]

Arguments = Mapping[str, Any]


def crawl_civitai(arguments: Arguments, settings: Settings, progress: Progress) -> str:
    """Ask Civitai a question (see ``hub_questions``; ``limit`` and ``previews`` beside it)."""
    rest = {name: value for name, value in arguments.items() if name not in ("limit", "previews", "ask")}
    question = civitai_question(asked=read_asked(arguments.get("ask", ())), **rest)
    run = crawl.crawl_hub(
        question,
        settings,
        progress,
        what=arguments.get("what", "models"),
        limit=arguments.get("limit"),
        previews=arguments.get("previews", False),
    )
    return _told(run)


def refresh_models(arguments: Arguments, settings: Settings, progress: Progress) -> str:
    """Ask anew for all models known from Civitai."""
    return _told(crawl.refresh_hub(settings, progress, previews=arguments.get("previews", False)))


def identify_files(arguments: Arguments, settings: Settings, progress: Progress) -> str:
    """Ask Civitai which models our hashed files are."""
    return _told(crawl.identify_library(settings, progress, previews=arguments.get("previews", False)))


def check_updates(arguments: Arguments, settings: Settings, progress: Progress) -> str:
    """Look for newer releases of what we have."""
    found = list(crawl.find_newer(settings, any_base=arguments.get("any_base", False)))
    return f"{len(found):,} models have newer releases; see: pinakes updates"


def _told(run: HubRun) -> str:
    """Raises ``TemporaryError`` where the hub ended the work."""
    took, state = run.crawl.taken, run.crawl
    beside = f"{took.images:,} images, {took.words:,} words, " if took.images or took.words else ""
    told = (
        f"{beside}{took.models:,} models, {took.versions:,} versions, {took.refused:,} refused, "
        f"{took.linked:,} files linked, {state.unchanged:,} unchanged, {state.gone:,} gone"
    )
    if state.state != "done":
        raise TemporaryError(state.code or "hub", f"{told}; {state.detail}")
    return told
