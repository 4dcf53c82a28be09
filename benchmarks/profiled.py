"""`offboard` under a profiler: `python -m benchmarks.profiled OUT SPEED ORIGIN WORDS…`; the other arguments as for `scaled`.

The profiler sees the main thread only, where all our own work is done; what the process's other threads took is told
beside it, in `OUT.threads`, in seconds.
"""

from __future__ import annotations

import cProfile
import sys
import time
from pathlib import Path

from benchmarks import scaled


def main() -> None:
    """Run one command of `offboard`."""
    out = Path(sys.argv.pop(1))
    profile = cProfile.Profile()
    try:
        profile.runcall(scaled.main)
    finally:
        others = time.process_time() - time.thread_time()
        profile.dump_stats(out)
        out.with_suffix(".threads").write_text(f"{others}")


if __name__ == "__main__":
    main()
