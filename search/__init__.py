"""Pinakes' reading half: from a query to answers.

    query ─▶ retrieval ─▶ ranking ─▶ answers        similar · service ─▶ cli · api · web page

``query``      What did the user mean? Text in, words and a filter tree out; carets under mistakes.
``retrieval``  Which entries could be meant? Candidates from the text and vector indexes.
``ranking``    In what order, and why? Signals and weights; every score says why.
``similar``    What looks like this? Pictures against pictures, in two spaces.
``service``    One place that wires them; ``cli``, ``api`` and ``web`` only call it.
"""
