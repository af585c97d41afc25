"""A report of chosen runs: the sections that a page draws, and the one HTML file that holds the same sections.

`evidence` is what comes in, `sections` says what it shows, `document` writes it down. Pure: what was read from run folders comes in, text comes out; no clock, no disk but the sentences and the style.
"""
