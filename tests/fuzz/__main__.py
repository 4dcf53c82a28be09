"""`python -m tests.fuzz [--seconds N] [--seed N] [--atheris] [TARGET]…`: fuzz, and keep what was found."""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
from pathlib import Path

from tests.fuzz.loop import Loop, Target
from tests.fuzz.targets import TARGETS

REGRESSIONS = Path(__file__).parent / "regressions"


def main() -> int:
    """Exit code 1 when anything was found."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--seconds", type=float, default=60, help="for each target")
    options.add_argument("--seed", type=int, default=random.randrange(2**32))
    options.add_argument("--atheris", action="store_true", help="libFuzzer; takes one target")
    options.add_argument("target", nargs="*", choices=[*TARGETS, []], default=[])
    given = options.parse_args()
    chosen = given.target or list(TARGETS)
    if given.atheris:
        with_atheris(TARGETS[chosen[0]](), int(given.seconds))
    bad = 0
    for name in chosen:
        loop = Loop(TARGETS[name](), given.seed).run(seconds=given.seconds)
        print(f"{name}: {loop.runs} runs, {len(loop.corpus)} kept, {len(loop.found)} found (--seed {given.seed})")
        for found in loop.found.values():
            bad += 1
            print(f"  {found}")
            keep(name, found.content)
    return 1 if bad else 0


def keep(name: str, content: bytes) -> None:
    """The suite reads it again from now on."""
    folder = REGRESSIONS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


def with_atheris(target: Target, seconds: int) -> None:
    """Fuzz with libFuzzer, which ends the process by itself."""
    import atheris

    def once(data: bytes) -> None:
        try:
            target.read(data)
        except target.allowed:
            pass
        except Exception:
            keep(target.name, data)
            raise

    corpus = Path(sys.prefix) / "fuzz-corpus" / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
