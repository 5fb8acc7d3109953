"""What a person at a terminal sees of a stack: a line a part, what meets whom, and what to do."""

from collections.abc import Iterator, Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from indexer.console import Console, printable
from indexer.console_inspect import headline, show_block
from indexer.console_words import architecture_title, kind_title, size_told
from indexer.domain.fit import plain_reason
from search.stack import Stack
from search.stack_advice import part_title
from search.stack_pairs import Pair
from search.stack_records import Addon, Block, Member, Needed, Weight, number
from search.terminal_words import VERDICTS

__all__ = ["show_stack"]

_SOURCES = {"pictures": "by pictures", "creator": "by its maker", "default": "", "given": "given"}
_PULLS = {"reinforcing": "yellow", "conflicting": "red", "independent": "green"}
_BARS = "▁▂▃▄▅▆▇█"
_MOST_BLOCKS = 60


def show_stack(console: Console, stack: Stack) -> None:
    """The whole answer."""
    out = console.out
    mark = VERDICTS[stack.verdict]
    out.print(Text(mark.told, style=f"bold {mark.colour}"), soft_wrap=True)
    out.print(_base(stack.base), soft_wrap=True)
    if stack.addons:
        show_block(out, Padding(_addons(stack.addons), (1, 0, 0, 0)))
    pairs = [pair for pair in stack.pairs if pair.shared or pair.words]
    if pairs:
        _headed(console, "Adapters beside each other", _pairs(pairs))
    if stack.needed:
        _headed(console, "It works with", _needed(stack.needed))
    _headed(console, "On the GPU and in the shop", _sums(stack))
    if stack.advice:
        _headed(console, "What to do", _advice(stack.advice))


def _headed(console: Console, title: str, table: Table) -> None:
    console.out.print()
    show_block(console.out, headline(title))
    show_block(console.out, Padding(table, (0, 0, 0, 2)))


def _name(member: Member) -> Text:
    text = Text(printable(member.name), style="bold")
    return text.append(f"  id {member.id}", style="not bold dim") if member.id is not None else text


def _base(base: Member) -> Text:
    text = Text("Base  ").append_text(_name(base))
    what = "reference layout" if base.path is None and base.id is None else kind_title(base.kind)
    about = [what, architecture_title(base.architecture) if base.architecture else "unknown architecture"]
    return text.append(f"  {' · '.join(about)}", style="not bold dim")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for title in columns:
        table.add_column(title, overflow="fold")
    return table


def _addons(addons: Sequence[Addon]) -> Table:
    table = _table("addon", "", "weight", "say", "why")
    shares = ((4, ""), (None, ""), (None, ""), (3, "cyan"), (8, "dim"))
    for column, (share, style) in zip(table.columns, shares, strict=True):
        column.ratio, column.style, column.no_wrap = share, style, share is None
    for addon in addons:
        member, mark = addon.member, VERDICTS[addon.verdict.verdict]
        name = Text(printable(member.name), style="bold")
        name.append(f"\n{kind_title(member.kind)}", style="not bold dim")
        said = Text(printable(", ".join(member.triggers[:2])))
        table.add_row(name, Text(mark.word, style=mark.colour), _weight(addon.weight), said, _why(addon))
    return table


def _why(addon: Addon) -> Text:
    """The telling sentence, and of what looks otherwise why; names of tensors are left to ``--json``."""
    reasons = addon.verdict.reasons
    told = list(reasons[:1])
    if 0 < addon.verdict.score < number("score", "poor") and len(reasons) > 1:
        told.append(reasons[-1])
    return Text(printable(plain_reason(" ".join(told))))


def _weight(weight: Weight) -> Text:
    text = Text(f"{weight.value:g}")
    told = _SOURCES[weight.source]
    return text.append(f"\n{told}", style="dim") if told else text


def _pairs(pairs: Sequence[Pair]) -> Table:
    table = _table("pair", "same weights", "what happens")
    for column, share in zip(table.columns, (4, 2, 9), strict=True):
        column.ratio = share
    for pair in pairs:
        names = printable(f"{pair.first.member.name} + {pair.second.member.name}")
        note = Text(printable(pair.note), style=_PULLS.get(pair.pull or "", ""))
        if pair.words:
            note.append(f" Both are called by {printable(', '.join(pair.words[:3]))}.", style="yellow")
        if pair.alignment is not None and pair.pull != "independent":
            note.append("\n").append_text(_strip(pair.alignment.blocks))
        table.add_row(names, f"{pair.overlap:.0%}", note)
    return table


def _strip(blocks: Sequence[Block]) -> Text:
    """A bar a block, as tall as the two are alike there: red where they oppose each other."""
    text = Text("blocks ", style="dim")
    for block in blocks[:_MOST_BLOCKS]:
        bar = _BARS[min(len(_BARS) - 1, int(abs(block.cosine) * len(_BARS)))]
        text.append(bar, style="red" if block.cosine < 0 else "green")
    return text


def _needed(needed: Sequence[Needed]) -> Table:
    table = _table("part", "", "which")
    table.show_header = False
    for one in needed:
        if one.given is not None:
            state, names = Text("in the stack", style="green"), one.given
        elif one.spares:
            state, names = Text("in your library", style="green"), ", ".join(s.name for s in one.spares)
        else:
            state = Text("missing", style="red")
            names = " or ".join(architecture_title(option) for option in one.need.options[:3])
        table.add_row(part_title(one.need.part), state, printable(names))
    return table


def _sums(stack: Stack) -> Table:
    table = _table("", "")
    table.show_header = False
    table.columns[1].ratio = 1
    size = stack.size
    text = Text(size_told(size.bytes), style="bold").append(f" at {size.precision}", style="not bold")
    parts = [f"{printable(part.name)} {size_told(part.bytes)}" for part in size.parts if part.bytes]
    text.append(f"  {', '.join(parts)}" if len(parts) > 1 else "", style="not bold dim")
    if size.unknown:
        text.append(f"; not counted: {printable(', '.join(size.unknown))}", style="not bold yellow")
    table.add_row("weights", text)
    colour = {True: "green", False: "red", None: "yellow"}[stack.terms.commercial]
    table.add_row("licence", Text(printable(stack.terms.told), style=colour))
    return table


def _advice(lines: Sequence[str]) -> Table:
    table = _table("", "")
    table.show_header = False
    table.columns[1].ratio = 1
    for line in _numbered(lines):
        table.add_row(*line)
    return table


def _numbered(lines: Sequence[str]) -> Iterator[tuple[str, Text]]:
    return ((f"{number}.", Text(printable(line))) for number, line in enumerate(lines, 1))
