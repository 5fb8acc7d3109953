"""The state of an abstract pickle machine, which never imports, calls or allocates what a file asks.

The stack holds plain values and symbols (``pickle_values``). Semantics are those of ``Modules/_pickle.c``;
where a real machine would stop with an error, this one stops too or goes on with a doubt, so what it sees is
never less than what a loader would run.
"""

from indexer.parsers.pickle_findings import MAX_OPCODES, Findings, unreadable
from indexer.parsers.pickle_imports import ALLOWED, dotted, takes_state
from indexer.parsers.pickle_values import Import, Made, Opaque, Ordered, Storage, Value, plain_key
from indexer.parsers.torch_values import call, holds_objects, storage_of

__all__ = ["Machine"]


class Machine:
    """Stack, marks and memo of one pickle; ``pickle_steps`` drives it.

    ``torch_archive``: persistent ids name the archive's storages, as in PyTorch's files. Afterwards
    ``result`` is the value a loader would return, ``storages`` what persistent ids asked for, ``at`` the
    place of the last opcode; ``end`` is where the current frame or the data ends.
    """

    __slots__ = (
        "at",
        "copied",
        "data",
        "end",
        "findings",
        "memo",
        "meta",
        "result",
        "stack",
        "storages",
        "torch_archive",
    )

    def __init__(self, data: bytes, findings: Findings, *, torch_archive: bool = False) -> None:
        self.data = data
        self.end = len(data)
        self.findings = findings
        self.torch_archive = torch_archive
        self.memo: dict[int, Value] = {}
        self.meta: list[list[Value]] = []
        self.stack: list[Value] = []
        self.storages: dict[str, Storage] = {}
        self.result: Value = None
        self.at = 0
        self.copied = 0

    def pop_mark(self) -> list[Value]:
        """The items above the topmost mark, which goes with them."""
        if not self.meta:
            raise unreadable("stack", "no MARK")
        items = self.stack
        self.stack = self.meta.pop()
        return items

    def lookup(self, module: Value, name: Value) -> Value:
        """A name looked up in a module: recorded, judged, never imported."""
        if type(module) is not str or type(name) is not str:
            self.findings.doubt("an import whose name is put together at run time")
            return Opaque("computed import")
        self.findings.imported(module, name)
        return Import(module, name)

    def call(self, maker: Value, args: Value) -> Value:
        """What calling ``maker`` would give."""
        if type(maker) is not Import:
            self.findings.doubt("a call of something put together at run time")
            return Made(maker, args)
        if type(args) is not tuple:
            self.findings.doubt(f"{dotted(maker.module, maker.name)} is called without a tuple of arguments")
            return Made(maker, args)
        if holds_objects(maker, args):
            self.findings.doubt("a numpy array of objects")
        if self.findings.imported(maker.module, maker.name) != ALLOWED:
            return Made(maker, args)
        if args and type(args[0]) is list:
            self.copied += len(args[0])
            if self.copied > MAX_OPCODES:
                raise unreadable("budget", "the same list copied again and again")
        return call(maker, args)

    def put_state(self, made: Value, state: Value) -> None:
        """BUILD: state set on what was made."""
        if type(made) is Import:
            self.findings.danger(f"changes {dotted(made.module, made.name)} itself")
        if type(made) is Made:
            made.state = state
            maker = made.maker
            if type(maker) is Import and takes_state(maker.module, maker.name):
                return
        elif type(made) is Ordered:
            return
        self.findings.doubt("state set on something that is rebuilt without any")

    def put_items(self, target: Value, items: list[Value]) -> None:
        """SETITEM, SETITEMS: keys and values in turn."""
        if len(items) % 2:
            raise unreadable("stack", "a key without a value")
        keys = map(plain_key, items[::2])
        if isinstance(target, dict):
            target.update(zip(keys, items[1::2], strict=True))
            return
        if type(target) is Import:
            self.findings.danger(f"changes {dotted(target.module, target.name)} itself")
        if type(target) is Made:
            target.items.update(zip(keys, items[1::2], strict=True))
        self.findings.doubt("items set on something that is no dictionary")

    def extend(self, target: Value, items: list[Value]) -> None:
        """APPEND, APPENDS."""
        if type(target) is list:
            target.extend(items)
        else:
            self.findings.doubt("items appended to something that is no list")

    def persistent(self, pid: Value) -> Value:
        """A persistent id: a storage in PyTorch's files, anybody's guess elsewhere."""
        storage = storage_of(pid) if self.torch_archive else None
        if storage is None:
            self.findings.doubt("a persistent id outside a PyTorch archive")
            return Opaque("persistent")
        return self.storages.setdefault(storage.key, storage) and storage
