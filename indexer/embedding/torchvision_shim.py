"""Importing open_clip where a torchvision built for CUDA stands beside a CPU torch.

torchvision's published wheel loads its C extension at import; beside a torch without CUDA that extension
cannot load, its operators stay undeclared, and ``import torchvision`` (hence ``import open_clip``) fails with
"operator torchvision::nms does not exist". open_clip calls neither operator: declaring them is enough.
"""

import importlib
import sys
import warnings
from typing import Any

__all__ = ["import_open_clip"]

FAULT = "operator torchvision::nms does not exist"
SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[Any] = []  # a torch Library undeclares its operators when it is collected


def import_open_clip() -> Any:
    """The ``open_clip`` module; takes seconds the first time. Raises ``ImportError`` where not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside torch, timm and huggingface_hub are not ours
        try:
            return importlib.import_module("open_clip")
        except RuntimeError as error:
            if FAULT not in str(error):
                raise
        _declare_operators()
        return importlib.import_module("open_clip")


def _declare_operators() -> None:
    torch = importlib.import_module("torch")
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in SCHEMAS:
        library.define(schema)
    _declared.append(library)
    for name in [name for name in sys.modules if name.split(".")[0] in ("torchvision", "open_clip")]:
        del sys.modules[name]
