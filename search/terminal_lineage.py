"""What a person at a terminal sees of a model's relatives: trees upwards and downwards, siblings beside."""

from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from indexer.console import Console, printable
from indexer.console_inspect import headline, show_block
from indexer.console_words import kind_title
from search.lineage import Kin, Lineage

__all__ = ["show_lineage"]

_UP = {"trained_on": "trained on", "merged_from": "merged from"}
_DOWN = {"trained_on": "trained on it", "merged_from": "merged with it"}
_BESIDE = {
    "version": "another version",
    "same": "the same bytes or tensors",
    "near": "nearly the same weights",
}


def show_lineage(console: Console, found: Lineage) -> None:
    """The trees."""
    document = found.document
    name = Text(printable(document.name), style="bold").append(f"  id {document.id}", style="not bold dim")
    console.out.print(name, soft_wrap=True)
    for title, kin, words, more in (
        ("Made from", found.ancestors, _UP, 0),
        ("Made from it", found.descendants, _DOWN, found.more),
        ("Beside it", found.siblings, _BESIDE, 0),
    ):
        if kin:
            console.out.print()
            show_block(console.out, _tree(title, kin, words, more))
    if not (found.ancestors or found.descendants or found.siblings):
        console.line("Nothing is told of where it comes from, and nothing is known to come from it.")


def _tree(title: str, kin: Sequence[Kin], words: dict[str, str], more: int) -> Tree:
    tree = Tree(headline(title), guide_style="dim")
    _grow(tree, kin, words, more)
    return tree


def _grow(tree: Tree, kin: Sequence[Kin], words: dict[str, str], more: int) -> None:
    for one in kin:
        _grow(tree.add(_line(one, words)), one.kin, words, one.more)
    if more:
        tree.add(Text(f"and {more} more", style="dim"))


def _line(kin: Kin, words: dict[str, str]) -> Text:
    text = Text(printable(kin.name), style="bold" if kin.id is not None else "yellow")
    if kin.version:
        text.append(f" {printable(kin.version)}", style="not bold")
    if kin.id is None:
        text.append("  not in your library", style="not bold yellow")
    else:
        text.append(
            f"  id {kin.id} · {'LoRA' if kin.kind == 'lora' else kind_title(kin.kind)}", style="not bold dim"
        )
    told = words.get(kin.relation, kin.relation)
    if kin.weight is not None:
        told += f", {kin.weight:g} times its strength"
    if kin.source:
        told += f" (by {printable(kin.source)}{'' if kin.sure or kin.id is None else ', by name alone'})"
    text.append(f"  {told}", style="not bold dim")
    return text.append("  see above", style="not bold dim") if kin.again else text
