"""What the first visitor would wait for is done before: indexes opened, templates made, words counted."""

import gc
import logging
import threading

from indexer.errors import PinakesError
from search.api.v1.asked import read_asked
from search.api.v1.listing import counted_models, models_page
from search.api.v1.parameters import Parameters
from search.api.v1.shapes import Shown, model_item
from search.service import Pinakes
from search.web.gallery import gallery
from search.web.parameters import Wanted
from search.web.templating import render

__all__ = ["warm", "warmed"]

_LOG = logging.getLogger("pinakes.serve")
_YOUNG, _MIDDLE, _OLD = 10_000, 20, 20
"""An answer makes and drops some ten thousand objects: looking for cycles after every 700 finds nothing."""


def warmed(pinakes: Pinakes) -> threading.Thread:
    """A thread that does ``warm`` and then puts what is there by now out of the collector's sight: to look
    through it all takes a fifth of a second, in which nobody is answered."""

    def run() -> None:
        warm(pinakes)
        gc.collect()
        gc.freeze()

    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    thread = threading.Thread(target=run, name="warming", daemon=True)
    thread.start()
    return thread


def warm(pinakes: Pinakes) -> None:
    """Ask once what is asked first. What fails here is told to whoever asks."""
    try:
        pinakes.state()
        render("gallery.html", **gallery(pinakes, Wanted()), offset=0)
        pinakes.search("a", typing=True, facets=False)
        asked = read_asked(Parameters([("limit", "20")]), pinakes.settings)
        counted_models(pinakes, asked)
        for model in models_page(pinakes, asked).models:
            model_item(model, Shown("http://localhost"))
    except PinakesError as error:
        _LOG.info("nothing was made ready: %s", error)
