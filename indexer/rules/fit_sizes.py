"""What the factors of an adapted module make of it: the size of the weight that they change.

The formulas are those by which programs apply adapters (LyCORIS, https://github.com/KohakuBlueleaf/LyCORIS;
PEFT; kohya's sd-scripts). Factors that contradict each other raise ``Fault``: they fit no weight at all.
"""

from collections.abc import Callable, Collection, Mapping
from math import isqrt, prod
from typing import NamedTuple

__all__ = ["Fault", "Shapes", "Size", "size_of"]

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
_UNRECORDED = (1,)
"""The shape of factors in listings that keep names alone; no factor that works has it."""


class Fault(Exception):
    """The factors of a module do not fit each other; the text says how."""


class Size(NamedTuple):
    """Rows, columns (a kernel's axes among them) and kernel of a weight, as of ``domain.fit.Change``."""

    rows: int | None
    columns: int | None
    kernel: Shape | None = None
    sort: str = "weight"
    rank: int | None = None


def size_of(algorithms: Collection[str], shapes: Shapes) -> Size | None:
    """The size of the weight that a module's factors make; ``None`` for what is no change. Raises
    ``Fault``."""
    named = [name for name in _SIZES if name in algorithms]
    if not named:
        return _whole(shapes)
    size = _agreed([_SIZES[name](shapes) for name in named])
    if size is None:
        return None
    size = _with_magnitude(size, shapes)
    return size._replace(sort="grows") if "reshape" in shapes else size


def _agreed(sizes: list[Size | None]) -> Size | None:
    """The size of a module that several algorithms change at once: all must make the same of it."""
    told = [size for size in sizes if size is not None and (size.rows, size.columns) != (None, None)]
    for size in told[1:]:
        pairs = zip(told[0][:3], size[:3], strict=True)
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            raise Fault("its factors of two algorithms make different sizes")
    return told[0] if told else next((size for size in sizes if size is not None), None)


def _whole(shapes: Shapes) -> Size | None:
    """A weight given whole under the base's own name, such as a norm's scale in a control LoRA."""
    scale = shapes.get("scale")
    if scale is None or prod(scale) <= 1:
        return None
    return Size(scale[0], prod(scale[1:]), scale[2:], sort="whole")


def _kernel(shape: Shape) -> Shape | None:
    """The kernel of a factor with axes for one; ``None`` of a plain matrix, which may be a flattened one."""
    if len(shape) < 3:
        return None
    return () if all(size == 1 for size in shape[2:]) else shape[2:]


def _lora(shapes: Shapes) -> Size:
    split = sorted(slot for slot in shapes if slot.startswith("lora_down."))
    if split:
        return _split(shapes, split)
    down, up = shapes.get("down"), shapes.get("up")
    if down is None or up is None:
        raise Fault("one of its two factors is missing")
    if down == up == _UNRECORDED:
        return Size(None, None)
    if len(down) < 2 or len(up) < 2:
        raise Fault("its factors are no matrices")
    rank, columns, kernel = down[0], prod(down[1:]), _kernel(down)
    middle = shapes.get("mid")
    if middle:
        if len(middle) < 3 or middle[1] != rank or columns != prod(down[1:2]):
            raise Fault("its middle factor does not fit the others")
        rank, columns, kernel = middle[0], columns * prod(middle[2:]), _kernel(middle)
    if prod(up[1:]) != rank:
        raise Fault(f"its factors have ranks {prod(up[1:])} and {rank}")
    return Size(up[0], columns, kernel, rank=rank)


def _split(shapes: Shapes, downs: list[str]) -> Size:
    """Separate pairs for query, key and value, stacked (sd-scripts' ``split_qkv``)."""
    pairs = [(shapes[slot], shapes.get(slot.replace("down", "up"))) for slot in downs]
    rows = 0
    for down, up in pairs:
        if up is None or len(down) < 2 or len(up) < 2 or prod(up[1:]) != down[0]:
            raise Fault("its split factors do not fit each other")
        rows += up[0]
    widths = {prod(down[1:]) for down, _ in pairs}
    if len(widths) > 1:
        raise Fault("its split factors read different widths")
    return Size(rows, widths.pop(), rank=max(down[0] for down, _ in pairs))


def _product(shapes: Shapes, first: str, second: str, core: str) -> Size:
    """``first @ second``; with a Tucker core both are stored transposed and the core carries the kernel."""
    one, other = shapes.get(first), shapes.get(second)
    if one is None or other is None:
        raise Fault("one of its factors is missing")
    if len(one) < 2 or len(other) < 2:
        raise Fault("its factors are no matrices")
    if middle := shapes.get(core):
        if len(middle) < 3 or middle[0] != one[0] or middle[1] != other[0]:
            raise Fault("its core does not fit the other factors")
        return Size(prod(one[1:]), prod(other[1:]) * prod(middle[2:]), _kernel(middle), rank=middle[0])
    if prod(one[1:]) != other[0]:
        raise Fault(f"its factors have ranks {prod(one[1:])} and {other[0]}")
    return Size(one[0], prod(other[1:]), rank=other[0])


def _loha(shapes: Shapes) -> Size:
    one = _product(shapes, "hada_w1_a", "hada_w1_b", "hada_t1")
    two = _product(shapes, "hada_w2_a", "hada_w2_b", "hada_t2")
    if one[:2] != two[:2]:
        raise Fault("its two products have different sizes")
    return one


def _side(shapes: Shapes, number: str) -> Size:
    whole = shapes.get(f"lokr_w{number}")
    if whole is None:
        return _product(shapes, f"lokr_w{number}_a", f"lokr_w{number}_b", f"lokr_t{number}")
    if len(whole) < 2:
        raise Fault("its factors are no matrices")
    return Size(whole[0], prod(whole[1:]), _kernel(whole))


def _lokr(shapes: Shapes) -> Size:
    one, two = _side(shapes, "1"), _side(shapes, "2")
    if one.rows is None or two.rows is None or one.columns is None or two.columns is None:
        raise Fault("one of its factors is missing")
    kernel = two.kernel if two.kernel is not None else one.kernel
    rank = two.rank if two.rank is not None else one.rank
    return Size(one.rows * two.rows, one.columns * two.columns, kernel, rank=rank)


def _oft(shapes: Shapes) -> Size:
    """Blocks along the rows, several stacked; PEFT's rows of triangles turn the columns instead."""
    rows, flat = 0, [shape for slot, shape in shapes.items() if slot.startswith("oft_R")]
    if flat:
        return _triangles(flat[0])
    blocks = [shape for slot, shape in shapes.items() if slot.startswith(("oft_blocks", "oft_diag"))]
    for shape in blocks:
        if len(shape) < 3 or shape[-1] != shape[-2]:
            raise Fault("its blocks are not square")
        rows += shape[-3] * shape[-1]
    rescale = shapes.get("rescale")
    if rescale is not None and prod(rescale) not in (1, rows):
        raise Fault("its scale has another length than its blocks have rows")
    return Size(rows, None)


def _triangles(shape: Shape) -> Size:
    """``[blocks, n (n - 1) / 2]``: the upper triangles of ``n x n`` blocks. One block may serve for all."""
    if len(shape) != 2:
        raise Fault("its blocks are no rows of numbers")
    side = (1 + isqrt(1 + 8 * shape[1])) // 2
    if side * (side - 1) // 2 != shape[1]:
        raise Fault("its blocks are no triangles")
    return Size(None, side * shape[0], sort="turns" if shape[0] == 1 else "weight")


def _glora(shapes: Shapes) -> Size:
    """``W a1 a2 + b1 b2``: ``a1 a2`` is as wide as the columns, ``b1 b2`` has the size of the weight."""
    try:
        one, two, first, second = (shapes[f"{side}.weight"] for side in ("a1", "a2", "b1", "b2"))
    except KeyError:
        raise Fault("one of its four factors is missing") from None
    if min(map(len, (one, two, first, second))) < 2:
        raise Fault("its factors are no matrices")
    if prod(one[1:]) != two[0] or prod(first[1:]) != second[0]:
        raise Fault("its factors have different ranks")
    if one[0] != two[1] or one[0] not in (second[1], prod(second[1:])):
        raise Fault("its two halves read different widths")
    return Size(first[0], prod(second[1:]), _kernel(second), rank=second[0])


def _full(shapes: Shapes) -> Size | None:
    shape = shapes.get("diff")
    if shape is None:
        return Size(None, None) if "diff_b" in shapes else None
    if shape in ((), (1,)):
        return None
    return Size(shape[0], prod(shape[1:]), shape[2:], sort="whole")


def _ia3(shapes: Shapes) -> Size:
    """One number a row ``[n, 1 ...]`` or a column ``[1, n, 1 ...]``; a bare ``[n]`` may be either."""
    vector = shapes.get("vector")
    if vector is None:
        raise Fault("its vector is missing")
    if prod(vector) not in (*vector, 1):
        raise Fault("its vector is a matrix")
    kernel = (0,) * (len(vector) - 2)
    if len(vector) > 1 and vector[0] == prod(vector):
        return Size(vector[0], None, kernel, sort="whole")
    if len(vector) > 1 and vector[1] == prod(vector):
        return Size(vector[1], None, kernel, sort="reads")
    return Size(prod(vector), None, sort="either")


_SIZES: Mapping[str, Callable[[Shapes], Size | None]] = {
    "lora": _lora,
    "loha": _loha,
    "lokr": _lokr,
    "glora": _glora,
    "oft": _oft,
    "ia3": _ia3,
    "full": _full,
}
"""In the order in which a module with the factors of several is read."""


_MAGNITUDES = ("dora_scale", "lora_magnitude_vector")


def _with_magnitude(size: Size, shapes: Shapes) -> Size:
    """DoRA's magnitudes are one a row ``[rows, 1 ...]``, or one a column ``[1, columns, 1 ...]`` (a kernel's
    columns share one), with as many axes as the weight. PEFT has bare ``[rows]`` for matrices, and of kernels
    ``[1, rows, 1, 1]``."""
    found = next(((slot, shape) for slot, shape in shapes.items() if slot.startswith(_MAGNITUDES)), None)
    if found is None or size.rows is None or size.columns is None:
        return size
    slot, shape = found
    count = prod(shape)
    inside = size.columns // max(1, prod(size.kernel or ()))
    across = {size.rows} if slot.startswith(_MAGNITUDES[1]) else {size.columns, inside}
    down = shape[:1] == (count,) and count == size.rows
    beside = shape[:2] == (1, count) and count in across
    if count != 1 and not down and not beside:
        told = " x ".join(map(str, shape))
        raise Fault(f"its magnitude is {told} for a weight of {size.rows} x {size.columns}")
    if count == 1 and len(shape) < 2:
        return size
    kernel = (size.kernel or (0,) * (len(shape) - 2)) if len(shape) > 2 else ()
    return size._replace(kernel=kernel, sort="whole")
