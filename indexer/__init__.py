"""Pinakes' writing half: from model files and hubs to the catalog and its indexes.

    sources ─▶ parsers ─▶ rules ─▶ catalog ─▶ embedding ─▶ indexes

========== ==============================================================================
folder     the question it answers
========== ==============================================================================
domain     What are we talking about? Pure records, fields, filters; standard library only.
data       What does the field know? Tables, one row a fact, each with its "why".
parsers    What do these bytes say? Bytes or text in, facts out; nothing is executed.
rules      What is it, then? A header in, a verdict with evidence out.
sources    Where do models come from? The only place that talks to the outside.
catalog    What do we know? The truth, in SQL; the only place that imports sqlalchemy.
embedding  What does it look like? Vectors; the only place that imports torch.
indexes    How is it found fast? Disposable; each can be rebuilt from the catalog.
demo       What would a library look like? A synthetic one, to try everything on.
========== ==============================================================================

``pipeline`` joins them, ``schedule`` repeats it, ``cli`` is thin.
"""
