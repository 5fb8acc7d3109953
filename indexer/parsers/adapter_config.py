"""``adapter_config.json``: what PEFT writes beside an adapter, and nowhere else.

PEFT saves a folder of ``adapter_model.safetensors`` and this file
(https://huggingface.co/docs/peft, ``PeftModel.save_pretrained``).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.opening import opened
from indexer.parsers.strict_json import JsonFault, decode_text, load_lenient

__all__ = ["read_adapter_config"]

_NAME = "adapter_config.json"
_MODEL = "adapter_model."
_SUFFIXES = (".safetensors", ".bin", ".pt", ".ckpt")
_PREFIX = "base_model.model."
_MOST_BYTES = 1 << 20
_MOST_ENTRIES = 1_000


def read_adapter_config(path: Path | str | bytes, tensors: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The configuration of the adapter at ``path``, whose tensors have these names.

    Only of an adapter that PEFT named (``base_model.model.``), and that the file beside it is surely about:
    it is called as PEFT calls it, or is the only model of its folder. None where there is none to be read.
    """
    if not next(iter(tensors), "").startswith(_PREFIX):
        return None
    model = Path(os.fsdecode(path))
    beside = model.with_name(_NAME)
    if not beside.is_file() or not (model.name.startswith(_MODEL) or _is_alone(model.parent)):
        return None
    try:
        with opened(beside) as (read, size):
            data = read(0, size) if size <= _MOST_BYTES else b""
        told, _ = load_lenient(decode_text(data)[0])
    except (BadFileError, TemporaryError, JsonFault):
        return None
    return told if isinstance(told, dict) else None


def _is_alone(folder: Path) -> bool:
    """Whether a small folder holds one model."""
    models = 0
    try:
        with os.scandir(folder) as entries:
            for seen, entry in enumerate(entries):
                models += entry.name.lower().endswith(_SUFFIXES)
                if models > 1 or seen > _MOST_ENTRIES:
                    return False
    except OSError:
        return False
    return models == 1
