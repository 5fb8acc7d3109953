"""What a control LoRA of Stability's form changes: factors ``NAME.up`` and ``NAME.down`` of the UNet's
encoder.

Beside them lie whole weights of its own (zero convolutions, the hint block); no base has or needs those.
"""

from itertools import islice
from math import prod

from indexer.domain.fit import DENOISER, Change
from indexer.domain.header import Header

__all__ = ["control_changes"]

_MOST = 20_000
_LONGEST = 250


def control_changes(header: Header) -> tuple[Change, ...]:
    """A change for each pair of factors whose sizes go together; none in files of another form."""
    found = []
    for name, entry in islice(header.tensors.items(), _MOST):
        stem = name.removesuffix(".up")
        down = header.tensors.get(f"{stem}.down")
        if stem == name or down is None or len(name) > _LONGEST:
            continue
        up_shape, down_shape = entry["shape"], down["shape"]
        if len(up_shape) < 2 or len(down_shape) < 2 or up_shape[1] != down_shape[0]:
            continue
        kernel = tuple(down_shape[2:])
        flat = stem.replace(".", "_")
        found.append(Change(DENOISER, flat, up_shape[0], prod(down_shape[1:]), kernel))
    return tuple(found)
