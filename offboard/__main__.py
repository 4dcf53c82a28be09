"""`python -m offboard`."""

import os
import sys

# Python puts the working directory before everything else; a yaml.py that somebody left there must not be run.
if not sys.flags.safe_path and not os.path.exists(os.path.join(sys.path[0], "offboard", "__main__.py")):
    del sys.path[0]

from offboard.cli import main

main()
