"""``pinakes inspect https://…``: what is the file behind this address? Only its header is fetched."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from indexer.domain.claims import ClaimSet
from indexer.domain.found import Problem
from indexer.domain.hubs import HubModel
from indexer.errors import UsageError
from indexer.inspecting import describe, inspect_paths, is_url
from indexer.parsers.huggingface import parse_repo
from indexer.reading_remote import found_at, judge_url, offered_url
from indexer.settings import Settings
from indexer.sources.clients import hub_client
from indexer.sources.http import HubClient
from indexer.sources.http_errors import HubError
from indexer.sources.huggingface import HuggingFace
from indexer.sources.remote import Address, file_address, known_hubs

__all__ = ["inspect_targets"]


def inspect_targets(
    targets: Sequence[str], settings: Settings, *, hashes: bool = False
) -> Iterator[dict[str, Any]]:
    """One object a file, of URLs and paths mixed, in their order; of a repository's page one a model.

    An address that cannot be reached is told like a file that cannot be read; when all are done, the first
    such ``HubError`` is raised. Raises ``UsageError`` (``path_missing``, ``hashes``).
    """
    if hashes:
        raise UsageError("hashes", "Hashes need the whole file. Download it, or leave --hashes out.")
    addresses = {target: file_address(target, settings) for target in targets if is_url(target)}
    failed: list[HubError] = []
    hubs = known_hubs(settings, [address.token for address in addresses.values()])
    with hub_client(settings, hubs) as client:
        for target in targets:
            address = addresses.get(target)
            if address is None:
                yield from inspect_paths([Path(target)])
            elif address.repository is not None:
                yield from _repository(client, address, address.repository, settings, failed)
            else:
                yield _described(client, address, failed)
    if failed:
        raise failed[0]


def _described(
    client: HubClient, address: Address, failed: list[HubError], claims: Sequence[ClaimSet] = ()
) -> dict[str, Any]:
    try:
        return describe(judge_url(client, address.url, address.name, address.shown, claims))
    except HubError as error:
        failed.append(error)
        return _unread(address, error.code, error.detail)


def _unread(address: Address, code: str, detail: str) -> dict[str, Any]:
    return describe(Problem(found_at(address.shown, address.name), code, detail, retry=False))


def _repository(
    client: HubClient, address: Address, name: str, settings: Settings, failed: list[HubError]
) -> Iterator[dict[str, Any]]:
    """The models of a repository, one object each: the file that stands for it, with the card's claims."""
    hub = HuggingFace(client, settings.huggingface_url)
    try:
        item = hub.repo(name)
    except HubError as error:
        failed.append(error)
        yield _unread(address, error.code, error.detail)
        return
    model = parse_repo(item["info"], item["card"], base_url=hub.base_url) if item else None
    if not isinstance(model, HubModel):
        detail = model.detail if model else f"{address.shown} is not there, or not shown without a token."
        yield _unread(address, model.code if model else "not_found", detail)
        return
    for version in model.versions:
        first = file_address(offered_url(version.files[0]), settings)
        said = (*version.claims.claims, *model.claims.claims)
        yield _described(client, first, failed, [ClaimSet(model.source, said, {})])
