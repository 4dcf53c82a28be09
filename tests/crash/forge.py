"""A warm process from which fresh ones are forked: everything is imported, nothing is opened.

Orders come as lines of JSON on stdin, answers go as lines of JSON to stdout. A process so made is as good as one that was
started, and a second of importing cheaper.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.crash.disk import Disk
from tests.crash.points import Points

POINTS = Points()


def serve() -> None:
    """One order after the other."""
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "wake" in order:
            pid = order["wake"]
            os.kill(pid, signal.SIGCONT)
        elif "warm" in order:
            warm(order["warm"])
            print("{}", flush=True)
            continue
        else:
            sys.stdout.flush()
            pid = os.fork()
            if pid == 0:
                live(order)
        _, status = os.waitpid(pid, os.WUNTRACED)
        code = -status_signal(status) if not os.WIFEXITED(status) else os.WEXITSTATUS(status)
        print(json.dumps({"pid": pid, "code": code, "frozen": os.WIFSTOPPED(status)}), flush=True)


def status_signal(status: int) -> int:
    """What ended or stopped a process."""
    return os.WSTOPSIG(status) if os.WIFSTOPPED(status) else os.WTERMSIG(status)


def warm(names: list[str]) -> None:
    """Import what an earlier process had imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            if name not in sys.modules and name.partition(".")[0] != "__main__":
                with suppress(Exception):
                    importlib.import_module(name)
    gc.collect()
    gc.freeze()


def live(order: dict[str, Any]) -> None:
    """Be the program, to the end."""
    null, said = os.open(os.devnull, os.O_RDONLY), order["said"]
    told = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(told, 1)
    os.dup2(told, 2)
    os.chdir(order["folder"])
    os.environ.update(order["environ"])
    watched = [Path(folder) for folder in order["watched"]]
    disk = Disk(watched, Path(order["image"]), order["seed"]) if order["kind"] in ("power", "shred") else None
    POINTS.begin(watched, Path(order["trace"]), order["place"], order["kind"], disk)
    from offboard.cli.main import main

    try:
        main(order["words"])
    finally:
        sys.stdout.flush()
        POINTS.at("the end")
        if "modules" in order:
            Path(order["modules"]).write_text(json.dumps(list(sys.modules)))


if __name__ == "__main__":
    POINTS.install()
    serve()
