"""Exit codes of the command line, for what prints them and for what starts a command and reads them."""

DONE = 0
FAILED = 1
BAD_NEWS = 3
"""Done, and the answer is bad news by design: a suspicious verdict, a high finding, a signature that does not hold."""
INTERRUPTED = 130
"""By a person; the run can be resumed."""
