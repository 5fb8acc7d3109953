"""Verbs that ask hubs: crawl, updates. Thin; ``indexer.cli`` mounts them."""

from typing import Annotated

import typer

from indexer.cli_options import Home, Json
from indexer.console import Console
from indexer.errors import UsageError
from indexer.settings import read_settings

__all__ = ["app", "crawl"]

app = typer.Typer()
crawl = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Read a hub into the catalog. Stopped, it goes on where it was.",
    epilog="Example: pinakes crawl civitai --types LORA --limit 500",
)

Texts = list[str] | None


def option(text: str, *names: str) -> typer.models.OptionInfo:
    """An option without a default that is worth showing."""
    found: typer.models.OptionInfo = typer.Option(*names, help=text, show_default=False)
    return found


@crawl.command(epilog="Example: pinakes crawl civitai --types LORA --base-models 'SDXL 1.0' --limit 500")
def civitai(
    what: Annotated[str, typer.Option(help="models, images, creators, tags or enums.")] = "models",
    query: Annotated[str | None, option("Words to look for.")] = None,
    tag: Annotated[str | None, option("Only models with this tag.")] = None,
    username: Annotated[str | None, option("Only models of this creator.")] = None,
    types: Annotated[Texts, option("LORA, Checkpoint …; may be given several times.")] = None,
    base_models: Annotated[Texts, option("'SDXL 1.0' …; may be given several times.")] = None,
    sort: Annotated[str | None, option("Newest, Oldest, 'Most Downloaded' …")] = None,
    period: Annotated[str | None, option("Day, Week, Month, Year or AllTime.")] = None,
    nsfw: Annotated[bool | None, option("Ask for adult ones too.", "--nsfw/--no-nsfw")] = None,
    ask: Annotated[
        Texts, option("Any other parameter, NAME=VALUE, such as modelVersionId=128713; several are taken.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Exactly so many.", show_default=False)] = None,
    ids: Annotated[Texts, option("Models by their ids, such as 1,2,3.")] = None,
    identify: Annotated[
        bool, option("Ask which models my files are, by their hashes.", "--identify")
    ] = False,
    refresh: Annotated[bool, option("Ask anew for all models known from there.", "--refresh")] = False,
    previews: Annotated[bool, option("Fetch and look at pictures too.", "--previews")] = False,
    afresh: Annotated[bool, option("Start at the first page again.", "--afresh")] = False,
    base_url: Annotated[str | None, option("Another address of the API; it gets your key.")] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    """Read models from Civitai, or what it lists beside them.

    A key in CIVITAI_API_KEY (or CIVITAI_TOKEN, CIVITAI_API_TOKEN) is used. Images, with how they were made,
    become previews of the versions that are known here. Stop it at any time: the same command goes on where
    it stopped. Exit status 2 when the hub does not answer or refuses; what was read until then is kept.
    """
    from indexer import crawl as crawling
    from indexer.console_crawl import show_run
    from indexer.hub_questions import civitai_question, read_asked

    settings, console = read_settings(home), Console(json)
    question = civitai_question(
        what=what,
        query=query,
        tag=tag,
        username=username,
        types=types or (),
        base_models=base_models or (),
        sort=sort,
        period=period,
        nsfw=nsfw,
        asked=read_asked(ask or ()),
    )
    narrowed = what != "models" or limit is not None or question != civitai_question()
    if sum((bool(ids), identify, refresh, narrowed)) > 1:
        raise UsageError("crawl", "Ask one thing: a listing, --ids, --identify or --refresh.")
    if ids:
        run = crawling.fetch_models(_numbers(ids), settings, console, base_url=base_url, previews=previews)
    elif identify:
        run = crawling.identify_library(settings, console, base_url=base_url, previews=previews)
    elif refresh:
        run = crawling.refresh_hub(settings, console, base_url=base_url, afresh=afresh, previews=previews)
    else:
        run = crawling.crawl_hub(
            question,
            settings,
            console,
            what=what,
            base_url=base_url,
            limit=limit,
            afresh=afresh,
            previews=previews,
        )
    if not show_run(console, run):
        raise typer.Exit(2)


@crawl.command(epilog="Example: pinakes crawl huggingface --tag lora --tag flux --limit 200 --headers")
def huggingface(
    query: Annotated[str | None, option("Words of the repository's name.")] = None,
    author: Annotated[str | None, option("Only models of this person or organisation.")] = None,
    tag: Annotated[Texts, option("Tag, library or task; several narrow it.", "--tag", "--filter")] = None,
    sort: Annotated[str | None, option("newest, updated, downloads, likes or trending.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.", show_default=False)] = None,
    headers: Annotated[bool, option("Read files' headers too, to know what they are.", "--headers")] = False,
    previews: Annotated[bool, option("Fetch and look at pictures too.", "--previews")] = False,
    afresh: Annotated[bool, option("Start at the first page again.", "--afresh")] = False,
    base_url: Annotated[str | None, option("Another address of the API; it gets your token.")] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    """Read repositories from the Hugging Face Hub. A token in HF_TOKEN is used.

    Stop it at any time: the same command goes on where it stopped. Exit status 2 when the hub does not answer
    or refuses; what was read until then is kept.
    """
    from indexer.console_crawl import show_run
    from indexer.crawl_huggingface import crawl_huggingface, huggingface_question

    question = huggingface_question(query=query, author=author, tags=tuple(tag or ()), sort=sort)
    console = Console(json)
    run = crawl_huggingface(
        question,
        read_settings(home),
        console,
        base_url=base_url,
        limit=limit,
        afresh=afresh,
        previews=previews,
        headers=headers,
    )
    if not show_run(console, run):
        raise typer.Exit(2)


def _numbers(texts: list[str]) -> list[int]:
    parts = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    bad = [part for part in parts if not (part.isascii() and part.isdigit() and 0 < int(part) < 2**63)]
    if bad:
        raise UsageError("ids", f"{bad[0]!r} is no id of a model; ids are whole numbers, such as 1,2,3.")
    return [int(part) for part in parts]


@app.command(epilog="Example: pinakes updates --any-base")
def updates(
    any_base: Annotated[bool, typer.Option("--any-base", help="Releases for other bases too.")] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Newer releases of what I have, for the same base. Run `pinakes crawl civitai --refresh` before."""
    from indexer.console_crawl import show_updates
    from indexer.crawl import find_newer

    settings = read_settings(home)
    show_updates(Console(json), settings, find_newer(settings, any_base=any_base))
