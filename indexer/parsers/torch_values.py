"""What calls of allowed imports would make: tensors, storages, dictionaries; as symbols, never for real.

The argument orders are those of PyTorch's ``torch/_utils.py`` and ``torch/serialization.py``.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from indexer.parsers.pickle_values import Import, Made, Opaque, Ordered, Storage, Tensor, Value, plain_key

__all__ = ["DTYPES", "call", "holds_objects", "storage_of"]

MAX_RANK: Final = 16
_MAX_ELEMENTS: Final = 1 << 62

_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "F64": ("double", "float64", "DoubleStorage"),
    "F32": ("float", "float32", "FloatStorage"),
    "F16": ("half", "float16", "HalfStorage"),
    "BF16": ("bfloat16", "BFloat16Storage"),
    "F8_E4M3": ("float8_e4m3fn",),
    "F8_E5M2": ("float8_e5m2",),
    "F8_E4M3FNUZ": ("float8_e4m3fnuz",),
    "F8_E5M2FNUZ": ("float8_e5m2fnuz",),
    "F8_E8M0": ("float8_e8m0fnu",),
    "I64": ("long", "int64", "LongStorage"),
    "I32": ("int", "int32", "IntStorage", "qint32", "QInt32Storage"),
    "I16": ("short", "int16", "ShortStorage"),
    "I8": ("int8", "CharStorage", "qint8", "QInt8Storage"),
    "U8": ("uint8", "ByteStorage", "quint8", "QUInt8Storage", "UntypedStorage", "_UntypedStorage"),
    "U16": ("uint16",),
    "U32": ("uint32",),
    "U64": ("uint64",),
    "BOOL": ("bool", "BoolStorage"),
    "C64": ("complex64", "ComplexFloatStorage"),
}
DTYPES: Final[Mapping[str, str]] = {name: ours for ours, names in _SPELLINGS.items() for name in names}
"""PyTorch's name of an element type or storage type -> safetensors' spelling."""


def storage_of(pid: Value) -> Storage | None:
    """The storage that a persistent id names: ("storage", type, key, place, elements, ...)."""
    if type(pid) is not tuple or len(pid) < 5 or pid[0] != "storage" or type(pid[1]) is not Import:
        return None
    kind, key, elements = pid[1].name, pid[2], pid[4]
    if type(key) is not str or type(elements) is not int or elements < 0:
        return None
    return Storage(kind, key, elements)


def call(maker: Import, args: tuple[Value, ...]) -> Value:
    """What calling an allowed import gives: a value, or ``Made`` when it is no business of ours."""
    build = _CALLS.get((maker.module, maker.name))
    return Made(maker, args) if build is None else build(args)


def holds_objects(maker: Import, args: tuple[Value, ...]) -> bool:
    """Whether this call makes a numpy element type that holds objects, or one nobody can tell."""
    if (maker.module, maker.name) != ("numpy", "dtype"):
        return False
    first = args[0] if args else None
    if type(first) is Import:
        return first.module not in ("builtins", "__builtin__") or first.name not in ("int", "float", "bool")
    return type(first) is not str or "O" in first or "object" in first


def _tensor(storage: Value, size: Value, dtype: Value = None) -> Value:
    size = size.args[0] if type(size) is Made and len(size.args) == 1 else size
    name = dtype.name if type(dtype) is Import else getattr(storage, "dtype", None)
    if type(name) is not str or type(size) not in (tuple, list) or len(size) > MAX_RANK:
        return Opaque("tensor")
    elements = 1
    for dimension in size:
        if type(dimension) is not int or dimension < 0:
            return Opaque("tensor")
        elements *= dimension
        if elements > _MAX_ELEMENTS:
            return Opaque("tensor")
    return Tensor(name, tuple(size)) if name in DTYPES else Opaque("tensor")


def _rebuild(args: tuple[Value, ...]) -> Value:
    return _tensor(args[0], args[2]) if len(args) > 2 else Opaque("tensor")


def _rebuild_v3(args: tuple[Value, ...]) -> Value:
    return _tensor(args[0], args[2], args[6]) if len(args) > 6 else Opaque("tensor")


def _rebuild_meta(args: tuple[Value, ...]) -> Value:
    return _tensor(None, args[1], args[0]) if len(args) > 1 else Opaque("tensor")


def _rebuild_subclass(args: tuple[Value, ...]) -> Value:
    return _tensor(None, args[2], args[1]) if len(args) > 2 else Opaque("tensor")


def _rebuild_sparse(args: tuple[Value, ...]) -> Value:
    """The dense shape of a sparse tensor and its values' type: (layout, (indices, values, size, ...))."""
    parts = args[1] if len(args) > 1 else ()
    if type(parts) is not tuple or len(parts) < 3:
        return Opaque("tensor")
    tensors = [part for part in parts[:8] if type(part) is Tensor]
    sizes = [part for part in parts[:8] if type(part) in (tuple, Made)]
    return _tensor(tensors[-1], sizes[0]) if tensors and sizes else Opaque("tensor")


def _first(args: tuple[Value, ...]) -> Value:
    return args[0] if args else Opaque("nothing")


def _wrapped(args: tuple[Value, ...]) -> Value:
    """``_rebuild_from_type_v2(function, type, arguments, state)``."""
    if len(args) < 3 or type(args[0]) is not Import or type(args[2]) is not tuple:
        return Opaque("tensor")
    inner = (args[0].module, args[0].name)
    return _CALLS[inner](args[2]) if inner in _FLAT else Opaque("tensor")


def _dictionary(args: tuple[Value, ...]) -> Value:
    """OrderedDict and its kin: empty, from a list of pairs (Python 2), or a factory (defaultdict)."""
    made = Ordered()
    pairs: Iterable[Value] = args[0] if args and type(args[0]) is list else ()
    for pair in pairs:
        if type(pair) in (list, tuple) and len(pair) == 2:
            made[plain_key(pair[0])] = pair[1]
    return made


_UTILS = "torch._utils"
_CALLS: dict[tuple[str, str], Callable[[tuple[Value, ...]], Value]] = {
    (_UTILS, "_rebuild_tensor"): _rebuild,
    (_UTILS, "_rebuild_tensor_v2"): _rebuild,
    (_UTILS, "_rebuild_qtensor"): _rebuild,
    (_UTILS, "_rebuild_tensor_v3"): _rebuild_v3,
    (_UTILS, "_rebuild_meta_tensor_no_storage"): _rebuild_meta,
    (_UTILS, "_rebuild_wrapper_subclass"): _rebuild_subclass,
    (_UTILS, "_rebuild_sparse_tensor"): _rebuild_sparse,
    (_UTILS, "_rebuild_parameter"): _first,
    (_UTILS, "_rebuild_parameter_with_state"): _first,
    (_UTILS, "_rebuild_device_tensor_from_cpu_tensor"): _first,
    ("torch._tensor", "_rebuild_from_type_v2"): _wrapped,
    ("torch.nn.parameter", "Parameter"): _first,
    ("torch", "Size"): _first,
    ("collections", "OrderedDict"): _dictionary,
    ("collections", "defaultdict"): _dictionary,
    ("collections", "Counter"): _dictionary,
}
_FLAT = frozenset(pair for pair in _CALLS if pair[1] != "_rebuild_from_type_v2")
"""Calls that a wrapped tensor may make: not itself again, which could nest without end."""
