"""Names that survive a power cut: a file may be on the disk and yet not be found, when its folder is not."""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(path: Path) -> None:
    """Wait until the disk has the folder's names.

    Args:
        path: An existing folder.

    Raises:
        OSError: The disk does not take them.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
