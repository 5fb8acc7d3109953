"""What images say of how they were made: one module a dialect, all filling the same record.

``reading.read_generation`` looks at content, never at names of files, and chooses. Keys and their meanings
are data: ``generation.toml`` for flat settings, ``comfy_nodes.toml`` for graphs.
"""

from indexer.parsers.generation.reading import read_generation, record_of_civitai

__all__ = ["read_generation", "record_of_civitai"]
