"""`python -m offboard.schema [--check] [FOLDER]`: write the schemas, or fail when they are stale."""

import sys
from pathlib import Path

from offboard.schema import write_all


def main(arguments: list[str]) -> int:
    """Write or check; the exit code is 1 when a check found stale files."""
    check = "--check" in arguments
    folder = next((Path(x) for x in arguments if not x.startswith("-")), Path("schemas"))
    stale = write_all(folder, check)
    for name in stale:
        sys.stdout.write(f"{folder / name}.schema.json {'is stale' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
