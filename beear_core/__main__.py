"""`python -m beear_core`: the command line."""

import sys

from beear_core import isolation
from beear_core.cli.main import main
from beear_core.cores import wait_briefly

if __name__ == "__main__":
    wait_briefly()
    # A command is a process of its own and ends with its run, so it may be walled in for good.
    isolation.arm()
    sys.exit(main())
