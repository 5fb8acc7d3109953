"""The row that a claim set becomes, whatever it is about."""

import hashlib
from typing import Any

from indexer.catalog.columns import clean_json
from indexer.catalog.table_base import now
from indexer.domain.claims import ClaimSet

__all__ = ["statement_row"]


def statement_row(item: ClaimSet, statement: Any) -> dict[str, Any]:
    """The columns of ``ClaimRow`` without its subject; equal ``statement``s are one statement."""
    return {
        "source": item.source,
        "digest": hashlib.sha256(clean_json(statement, sort_keys=True).encode()).hexdigest(),
        "claims": {claim.name: claim.value for claim in item.claims},
        "raw": dict(item.raw),
        "unparsed": dict(item.unparsed) or None,
        "warnings": {w.code: w.detail for w in item.warnings} or None,
        "current": True,
        "at": now(),
    }
