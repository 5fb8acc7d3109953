"""When a page is at rest: nothing asked for and not yet put in place, nothing about to be asked for.

An answer that arrived is not yet shown, and a page that has shown one may be about to ask for the next, so neither
``expect_response`` nor ``networkidle`` tells that a page is done. ``COUNTING`` counts in the page itself.
"""

import re
from itertools import count

from playwright.sync_api import Locator, Page

__all__ = ["COUNTING", "followed", "settled"]

COUNTING = """(() => {
    const { fetch, setTimeout, clearTimeout } = window;
    const timers = new Set();
    let under = 0, waiting = null, frames = 0;
    const counted = (promise) => {
        under++;
        // What follows upon the promise runs first: it may begin the next one.
        const done = () => setTimeout(() => under--);
        promise.then(done, done);
        return promise;
    };
    window.fetch = (...asked) => counted(fetch(...asked));
    for (const name of ["text", "json"]) {
        const read = Response.prototype[name];
        Response.prototype[name] = function () { return counted(read.call(this)); };
    }
    // Short ones stand before a question ("when typing pauses"); long ones only tidy up.
    window.setTimeout = (task, wait = 0, ...rest) => {
        const id = setTimeout(() => { timers.delete(id); task(...rest); }, wait);
        if (wait < 1000) timers.add(id);
        return id;
    };
    window.clearTimeout = (id) => { timers.delete(id); clearTimeout(id); };
    const isSeen = (picture) => {
        const { bottom, right, top, left, width } = picture.getBoundingClientRect();
        return width > 0 && bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    };
    const isBusy = () => document.readyState !== "complete" || under > 0 || timers.size > 0 ||
        [...document.images].some((one) => !one.complete && isSeen(one));
    // Some frames long: what comes into view is asked for by observers, between frames.
    window.isAtRest = (asker) => {
        if (waiting !== asker) frames = 0;
        waiting = asker;
        frames = isBusy() ? 0 : frames + 1;
        return frames > 3;
    };
})()"""
"""A script that a page runs before its own; it changes nothing that the page sees."""

_askers = count(1)


def settled(page: Page) -> None:
    """Wait until the page is loaded, all it asked for is in place, and pictures in view are there."""
    page.wait_for_function("(asker) => window.isAtRest?.(asker)", arg=next(_askers))


def followed(page: Page, link: Locator, address: str) -> None:
    """Click what leads to another page, with the pattern ``address`` in its address; wait until it is at rest.

    The old page is at rest too until the new one has come, so waiting alone would not do.
    """
    link.click()
    page.wait_for_url(re.compile(address))
    settled(page)
