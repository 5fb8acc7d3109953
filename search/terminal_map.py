"""What a person at a terminal sees of the map of styles."""

from indexer.console import Console
from search.map import StyleMap

__all__ = ["show_map"]


def show_map(console: Console, drawn: StyleMap) -> None:
    """The neighbourhoods, largest first: their words, how many models, one in the middle."""
    if not drawn.points:
        none = "No picture is indexed yet. Put previews beside the models and run: pinakes index FOLDER"
        console.line("Nothing that matches has a preview." if drawn.generation else none)
        return
    rows = [[c.title, f"{c.size:,}", f"{c.example.name} ({c.example.id})"] for c in drawn.clusters]
    console.table("", ["neighbourhood", "models", "such as"], rows)
    told = f"{drawn.total:,} models in {len(drawn.clusters)} neighbourhoods"
    console.line(f"{told}. To see them: pinakes map --out map.html")
