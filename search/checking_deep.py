"""The weights of a stack's adapters, read side by side and compared: who pulls with whom.

Files are read by bounded reads, never mapped: a mapped file that another program cuts short kills the reader.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import combinations

from indexer.adapter_weights import adapter_modules
from indexer.domain.factors import ModuleFactors
from indexer.embedding.adapter_alignment import Piece, Sums, add_meeting, meet, pieces_of
from indexer.embedding.blas import one_blas_thread
from indexer.errors import BadFileError, TemporaryError
from indexer.parsers.safetensors import read_header
from indexer.parsers.tensor_values import TensorReader
from indexer.rules.fit_adapter import part_of
from indexer.rules.fit_keys import WeightKeys
from search.checking_found import Found
from search.stack_records import Addon, Alignment, Block

__all__ = ["MOST_DEEP", "align_adapters", "block_of"]

MOST_DEEP = 12
"""Adapters that are compared at once, the first of the stack."""

_KINDS = frozenset({"lora", "control_lora"})
_MOST_BYTES = 4 << 30
_BLOCK = re.compile(r"(?:[^:]+:)?.*?[0-9]+(?:_(?:attentions|resnets|layers)_[0-9]+)?(?=_|$)")

_Modules = Mapping[str, ModuleFactors]


class _Adapter:
    """One open adapter file: its modules by the weights that they change."""

    def __init__(self, addon: Addon, reader: TensorReader, modules: _Modules) -> None:
        self.addon = addon
        self._reader = reader
        self._modules = modules
        self._latest: tuple[ModuleFactors | None, Mapping[str, Piece]] = (None, {})

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def __iter__(self) -> Iterator[str]:
        """The weights in the order in which they lie in the file."""
        return iter(self._modules)

    def pieces(self, key: str, keys: WeightKeys) -> Mapping[str, Piece]:
        """The changes of the module that changes a weight, by weight."""
        module = self._modules.get(key)
        if module is None:
            return {}
        if self._latest[0] is not module:  # one module may change several weights, met one after the other
            names = _names(module, keys)
            found = pieces_of(module, self._reader, names, [keys.rows(name) for name in names])
            self._latest = (module, found)
        return self._latest[1]


def align_adapters(parts: Sequence[tuple[Found, Addon]], keys: WeightKeys) -> dict[frozenset[str], Alignment]:
    """How each two adapters lie to each other, by their names; pairs without a weight in common are left
    out, as are files that are gone, no safetensors, or over 4 GiB."""
    with ExitStack() as files, one_blas_thread():
        adapters = [one for found, addon in parts if (one := _opened(files, found, addon, keys))]
        return _aligned(adapters[:MOST_DEEP], keys)


def _opened(files: ExitStack, found: Found, addon: Addon, keys: WeightKeys) -> _Adapter | None:
    fits = addon.verdict.verdict in ("compatible", "partial")
    if addon.member.kind not in _KINDS or found.path is None or not fits or (found.size or 0) > _MOST_BYTES:
        return None
    try:
        header = read_header(found.path)
        reader = files.enter_context(TensorReader(found.path, header))
    except (BadFileError, TemporaryError):
        return None  # a pickle, several files, or gone since: the pair stays without an alignment
    placed = adapter_modules(found.path, header, reader)
    modules = {name: module for module in placed for name in _names(module, keys)}
    return _Adapter(addon, reader, modules)


def _names(module: ModuleFactors, keys: WeightKeys) -> tuple[str, ...]:
    first = next(iter(module.tensors.values()))
    return keys.keys(*part_of(first, module.part, module.name))


def _aligned(adapters: Sequence[_Adapter], keys: WeightKeys) -> dict[frozenset[str], Alignment]:
    sums = {pair: Sums() for pair in combinations(range(len(adapters)), 2)}
    unread = dict.fromkeys(sums, 0)
    for number, adapter in enumerate(adapters):
        for key in adapter:
            if any(key in earlier for earlier in adapters[:number]):
                continue  # met with the first adapter that changes it
            _meet_all(key, adapters, keys, sums, unread)
    return {
        frozenset((adapters[a].addon.member.name, adapters[b].addon.member.name)): _told(
            sums[a, b], unread[a, b], adapters[a].addon, adapters[b].addon
        )
        for a, b in sums
        if sums[a, b].compared
    }


def _meet_all(
    key: str,
    adapters: Sequence[_Adapter],
    keys: WeightKeys,
    sums: Mapping[tuple[int, int], Sums],
    unread: dict[tuple[int, int], int],
) -> None:
    here = [number for number, adapter in enumerate(adapters) if key in adapter]
    if len(here) < 2:
        return
    found = {number: adapters[number].pieces(key, keys).get(key) for number in here}
    for pair in combinations(here, 2):
        one, other = found[pair[0]], found[pair[1]]
        meeting = meet(one, other) if one is not None and other is not None else None
        if meeting is None:
            unread[pair] += 1
        else:
            add_meeting(sums[pair], block_of(key), meeting)


def block_of(key: str) -> str:
    """The block that a weight belongs to: ``down_blocks_1_attentions_0``, ``double_blocks_7``."""
    found = _BLOCK.match(key)
    return found[0] if found else key


def _told(sums: Sums, unread: int, one: Addon, other: Addon) -> Alignment:
    first, second = one.weight.value, other.weight.value
    sign = -1.0 if first * second < 0 else 1.0
    return Alignment(
        cosine=sums.cosine * sign,
        first=abs(first) * sums.first**0.5,
        second=abs(second) * sums.second**0.5,
        compared=sums.compared,
        estimated=sums.estimated,
        unread=unread,
        blocks=tuple(_blocks(sums, sign)),
    )


def _blocks(sums: Sums, sign: float) -> Iterator[Block]:
    whole = sums.first + sums.second
    for name, block in sums.blocks.items():
        share = (block.first + block.second) / whole if whole > 0 else 0.0
        yield Block(name, block.cosine * sign, share)
