"""The one way to a client: for addresses that were configured, each with its own token, if it has one."""

from collections.abc import Callable, Mapping

from pydantic import SecretStr

from indexer.settings import Settings
from indexer.sources.http import HubClient, Limits, Timing

__all__ = ["hub_client"]


def hub_client(
    settings: Settings,
    tokens: Mapping[str, SecretStr | None],
    *,
    limits: Limits = Limits(),
    timing: Timing = Timing(),
    note: Callable[[str], None] | None = None,
) -> HubClient:
    """A client that may speak to these base URLs (each to the token that it alone gets) and to
    ``allow_hosts``, wherever they lie; and to public hosts. Raises ``UsageError`` as ``HubClient`` does."""
    return HubClient(
        allowed_hosts=[*tokens, *settings.allowed_hosts],
        secrets={base: token for base, token in tokens.items() if token is not None},
        per_second=settings.requests_per_second,
        limits=limits,
        timing=timing,
        note=note,
    )
