"""What changed since an earlier plan: actions, new candidates, models that came or went. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from indexer.errors import UsageError

__all__ = ["changes_since", "read_plan"]

_MOST_BYTES = 512 << 20
_Key = tuple[int | None, str]


def read_plan(path: Path) -> Mapping[str, Any]:
    """A plan that ``--json`` or ``--out plan.json`` wrote. Raises ``UsageError`` (``against``)."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(
                "against", f"{str(path)!r} is larger than {_MOST_BYTES >> 20} MiB: no plan of ours."
            )
        data = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(
            "against", f"{str(path)!r} cannot be read: {error.strerror}. Check its name."
        ) from None
    except orjson.JSONDecodeError as error:
        raise UsageError(
            "against",
            f"{str(path)!r} is no JSON ({error}). Give a file that pinakes plan --out plan.json wrote.",
        ) from None
    return check_plan(data, repr(str(path)))


def check_plan(data: Any, called: str) -> Mapping[str, Any]:
    """``data`` if it looks like a plan. Raises ``UsageError`` (``against``)."""
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or not all(_is_item(item) for item in items):
        raise UsageError(
            "against",
            f"{called} is no plan: it has no items. Give a file that pinakes plan --out plan.json wrote.",
        )
    return dict(data)


def _is_item(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("name"), str)
        and isinstance(item.get("action"), str)
        and isinstance(item.get("id"), int | None)
        and isinstance(item.get("candidates", []), list)
        and all(isinstance(one, dict) for one in item.get("candidates", []))
    )


def changes_since(
    old: Mapping[str, Any], items: Sequence[Mapping[str, Any]], to: str
) -> list[dict[str, Any]]:
    """What is other than in ``old``, by the order of ``items``, then what went away.

    Each is ``{id, name, change, told}`` with ``change`` one of ``action``, ``candidates``, ``new``, ``gone``;
    ``action`` has ``was`` and ``is``, ``candidates`` the ``candidates`` that appeared. Raises ``UsageError``
    (``against``) for a plan to another base.
    """
    if old.get("to") != to:
        raise UsageError("against", f"The earlier plan is for {old.get('to')!r}, this one for {to!r}.")
    before = {_key(item): item for item in old["items"]}
    found = [change for item in items for change in _changes(before.get(_key(item)), item)]
    now = {_key(item) for item in items}
    gone = [item for key, item in before.items() if key not in now]
    return [*found, *(_told(item, "gone", "It is no longer part of the plan.") for item in gone)]


def _key(item: Mapping[str, Any]) -> _Key:
    return item["id"], item["name"]


def _changes(old: Mapping[str, Any] | None, item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if old is None:
        yield _told(item, "new", f"It is new in the plan: {item['action']}.")
        return
    was, now = old["action"], item["action"]
    if was != now:
        yield _told(item, "action", f"It was {was}, it is {now}.") | {"was": was, "is": now}
    known = {one.get("id") for one in old.get("candidates", [])}
    fresh = [one for one in item["candidates"] if one["id"] not in known]
    if fresh:
        names = ", ".join(one["name"] for one in fresh)
        rows = [{name: one[name] for name in ("id", "name", "score")} for one in fresh]
        yield _told(item, "candidates", f"New candidates: {names}.") | {"candidates": rows}


def _told(item: Mapping[str, Any], change: str, told: str) -> dict[str, Any]:
    return {"id": item["id"], "name": item["name"], "change": change, "told": told}
