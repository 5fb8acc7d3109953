"""Talking with a Meilisearch server: one client a thread, retries, tasks, and errors that say what to do.

The ``meilisearch`` package keeps the headers of a request in the client and changes them from call to call,
so threads must not share one; it neither retries nor tells a wrong key from a server that is away. Both are
done here.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import meilisearch
import requests
from meilisearch.errors import (
    MeilisearchApiError,
    MeilisearchCommunicationError,
    MeilisearchError,
    MeilisearchTimeoutError,
)

from indexer.errors import CatalogError

__all__ = ["OLDEST", "Refused", "Server", "Silence"]

OLDEST = (1, 15)
"""Oldest version that has all we use: filters by beginnings, filterable patterns, no typos in numbers."""

_TRIES = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_PASSING = (429, 502, 503, 504)
_POLL, _LONGEST_POLL = 0.01, 0.5
_JSON = "application/json"


class Refused(CatalogError):
    """The server refused a request, or a task of it, for what is in it. ``code`` is Meilisearch's own."""


class Silence(CatalogError):
    """The server took a request and did not answer in time."""


class _Connection:
    """Requests of one thread. The package opens a connection for each, which takes longer than most answers;
    here one stays open."""

    def __init__(self, http: Any) -> None:
        self._send = http.send_request
        self._session = _session(http.config.url)
        self.once = http.post
        """Sends by a connection of its own, which nobody can have closed meanwhile."""

    def get(self, path: str) -> Any:
        return self._send(self._session.get, path)

    def post(self, path: str, body: Any, kind: str) -> Any:
        return self._send(self._session.post, path, body, kind)

    def patch(self, path: str, body: Any, kind: str) -> Any:
        return self._send(self._session.patch, path, body, kind)

    def delete(self, path: str) -> Any:
        return self._send(self._session.delete, path)


def _session(url: str) -> requests.Session:
    """A session that has read proxies and certificates from the environment once: reading them for every
    request takes a third of what a request costs us."""
    session = requests.Session()
    told = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.cert = told["proxies"], told["verify"], told["cert"]
    session.trust_env = False
    # What the server compresses it sends piece by piece, and each waits 40 ms for a delayed acknowledgement.
    session.headers["Accept-Encoding"] = "identity"
    return session


@dataclass
class Server:
    """A server at ``url``; ``key`` is sent with every request and appears in no message.

    ``timeout`` bounds one request, in seconds, ``patience`` the silence of a server that is waited for. All
    methods raise ``CatalogError``: ``meilisearch_away``, ``meilisearch_key``, ``meilisearch_version``,
    ``meilisearch_failed``.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    patience: float = 600.0
    _local: threading.local = field(default_factory=threading.local, repr=False)

    @property
    def shown(self) -> str:
        """The URL without user, password and query."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}".rstrip("/")

    def get(self, path: str) -> Any:
        """Answer of a GET request. Raises ``Refused``."""
        return self._ask(lambda http: http.get(path))

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | Sequence[Any] | bytes,
        *,
        kind: str = _JSON,
        once: bool = False,
    ) -> Any:
        """Answer of a POST request; ``once``: it must not be sent a second time. Raises ``Refused``."""
        if once:
            return self._ask(lambda http: http.once(path, body, kind), 1)
        return self._ask(lambda http: http.post(path, body, kind))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Answer of a PATCH request. Raises ``Refused``."""
        return self._ask(lambda http: http.patch(path, body, _JSON))

    def delete(self, path: str) -> Any:
        """Answer of a DELETE request. Raises ``Refused``."""
        return self._ask(lambda http: http.delete(path))

    def wait(self, task: Mapping[str, Any]) -> Mapping[str, Any]:
        """Wait until a task has ended well; answers it. A busy server may take longer than ``timeout`` to
        tell how a task stands; it is asked again for ``patience`` seconds. Raises ``Refused`` for what is in
        the task."""
        number, pause = int(task["taskUid"]), _POLL
        answered = time.monotonic()
        while True:
            try:
                state: Mapping[str, Any] = self.get(f"tasks/{number}")
            except Silence:
                if time.monotonic() - answered > self.patience:
                    raise
                continue
            answered = time.monotonic()
            if state["status"] == "succeeded":
                return state
            if state["status"] not in ("enqueued", "processing"):
                self._raise_failure(number, state.get("error") or {"code": state["status"]})
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_POLL)

    def check_version(self) -> None:
        """Raise ``meilisearch_version`` for a server that is too old."""
        version = str(self.get("version").get("pkgVersion", ""))
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers < OLDEST:
            raise CatalogError(
                "meilisearch_version",
                f"Meilisearch at {self.shown} is version {version or 'unknown'}; Pinakes needs "
                f"{'.'.join(map(str, OLDEST))} or newer. Upgrade the server.",
            )

    def _http(self) -> "_Connection":
        if not hasattr(self._local, "connection"):
            client = meilisearch.Client(self.url, self.key, timeout=self.timeout)
            self._local.connection = _Connection(client.http)
        connection: _Connection = self._local.connection
        return connection

    def _ask(self, request: Callable[[_Connection], Any], tries: int = _TRIES) -> Any:
        pause = _FIRST_PAUSE
        for left in reversed(range(tries)):
            try:
                answer = request(self._http())
            except MeilisearchApiError as error:
                if error.status_code not in _PASSING or not left:
                    raise self._refusal(error) from error
            except MeilisearchTimeoutError as error:
                away = self._away(f"did not answer within {self.timeout:g} seconds")
                raise Silence(away.code, away.detail) from error
            except MeilisearchCommunicationError as error:
                if not left:
                    raise self._away("cannot be reached") from error
            except MeilisearchError as error:
                raise self._away("answers with an error") from error
            except ValueError as error:  # not JSON; also a URL that requests cannot use
                raise self._away("does not answer as Meilisearch does") from error
            else:
                if isinstance(answer, Mapping):
                    return answer
                raise self._away("does not answer as Meilisearch does")
            time.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise self._away("cannot be reached")

    def _away(self, fault: str) -> CatalogError:
        return CatalogError(
            "meilisearch_away",
            f"Meilisearch at {self.shown} {fault}. Start the server, or correct PINAKES_MEILISEARCH_URL; "
            "without that variable Pinakes uses its embedded index.",
        )

    def _refusal(self, error: MeilisearchApiError) -> Exception:
        code, status = str(error.code or ""), int(error.status_code)
        if status in (401, 403):
            return CatalogError(
                "meilisearch_key",
                f"Meilisearch at {self.shown} refuses the key ({code or status}). "
                "Set MEILI_MASTER_KEY to the key that the server was started with.",
            )
        if not code and status != 413:
            return self._away(f"does not answer as Meilisearch does (status {status})")
        if status >= 500 or code == "no_space_left_on_device":
            return self._failed(f"{code}: {error.message}")
        return self._refused(code or "payload_too_large", error.message)

    def _refused(self, code: str, message: Any) -> Refused:
        return Refused(code, f"Meilisearch at {self.shown} refused a request ({code}): {str(message)[:300]}")

    def _failed(self, what: str) -> CatalogError:
        return CatalogError(
            "meilisearch_failed",
            f"Meilisearch at {self.shown} failed ({what[:300]}). Look at its log and its disk, then run the "
            "same command again.",
        )

    def _raise_failure(self, number: int, error: Mapping[str, Any]) -> None:
        code, kind = str(error.get("code")), error.get("type")
        if kind == "invalid_request" and code != "index_not_found":
            raise self._refused(code, error.get("message"))
        raise self._failed(f"task {number}, {code}: {error.get('message', 'no reason given')}")
