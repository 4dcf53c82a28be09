"""Record a whole state folder as this version leaves it: `python -m tests.engine.record_state FOLDER`.

A run of which everything but the deletion is done; the deletion waits for its day, in the queue. Kept under
`states/VERSION/` without the audit and its key, so that every later version shows that it carries it out.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from offboard.cli import main
from tests.world import Time


def record(folder: Path) -> None:
    """Make the folder."""
    words = ["--state", str(folder), "--quiet", "run", "leaver", "SawyerM@contoso.com", "--yes"]
    with suppress(SystemExit):
        main(words, clock=Time().clock(), environ={"XDG_CONFIG_HOME": os.devnull})
    shutil.rmtree(folder / "tenants")


if __name__ == "__main__":
    record(Path(sys.argv[1]))
