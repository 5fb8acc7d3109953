"""Header to verdict: what a model file is, from its names, shapes and types alone.

``detection.identify`` is the way in. ``profile`` prepares a header, ``signatures`` evaluates the tables of
``indexer/data/signatures``, ``modules`` and ``fitting`` compare adapters with reference layouts, ``hints``
hears metadata, names and claims, ``candidates`` weighs what remains.
"""

from indexer.rules.detection import identify

__all__ = ["identify"]
