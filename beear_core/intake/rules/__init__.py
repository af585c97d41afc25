"""One module a subject; each rule is a function. See `beear_core/intake/finding.py`."""
