"""The chapters of one seed, in the same tenant: people leave; it is undone; they leave again."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from offboard.audit import Audit
from offboard.errors import UsageError
from offboard.graph.read import Reader
from offboard.model import Plan
from offboard.runs.engine import turns
from offboard.runs.store import Store
from offboard.runs.undo import UndoMaker
from tests.simulation.life import Life, Try
from tests.simulation.loop import run_virtually
from tests.simulation.scenario import Attempt, Scenario
from tests.simulation.tape import Asked, Meddled

SHM = Path("/dev/shm")


@dataclass
class WayBack(Life):
    """The run is undone, whatever happens meanwhile."""

    def _nothing_to_plan(self) -> bool:
        """Nothing was changed that can be given back, or somebody is gone for good."""
        return self.tries[-1].error is None or isinstance(self.tries[-1].error, UsageError)

    async def _make(self, _audit: Audit, store: Store) -> Plan | None:
        """`offboard undo`."""
        maker = UndoMaker(Reader(self._sender()), store, "sandbox", "", self.tenant.guards, self.new_id, "tester")
        return await maker.undo(store.run(self.earlier[-1].run))


@dataclass
class Again(Life):
    """The same people leave once more, those who are there."""

    def _nothing_to_plan(self) -> bool:
        """Somebody is gone, or another run is still open."""
        return isinstance(self.tries[-1].error, UsageError)


def simulate(scenario: Scenario, judge: Callable[[Life, Try], None], judge_whole: Callable[[Life], None]) -> Story:
    """Live through one scenario, judging after every process and at the end of every chapter."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
        life = Life(scenario, Path(folder), judge=judge, judge_whole=judge_whole)
        return run_virtually(_tell(life))


@dataclass(frozen=True)
class Story:
    """What became of one seed.

    Args:
        lives: The chapters.
        digest: Of everything that must be the same when the seed is run again.
    """

    lives: tuple[Life, ...]
    digest: str


async def _tell(life: Life) -> Story:
    scenario = life.scenario
    life.settle_in()
    lives, usual = [life], turns.HANDFUL
    turns.HANDFUL = scenario.handful  # so few people are many turns, as a thousand are
    try:
        await life.live()
        for kind, attempts, planning in ((WayBack, scenario.back, Attempt()), (Again, scenario.again, scenario.planning)):
            if not attempts or not lives[-1].over:
                break
            following = replace(scenario, planning=planning, attempts=attempts, leaves=(None,) * len(scenario.people))
            lives.append(kind(following, life.folder))
            lives[-1].follow(lives[-2])
            await lives[-1].live()
    finally:
        turns.HANDFUL = usual
        life.sandbox.close()
    return Story(tuple(lives), _digest(lives))


def _digest(lives: Sequence[Life]) -> str:
    audit = lives[0].folder / "audit.jsonl"
    records = [_timeless(json.loads(row)) for row in audit.read_bytes().splitlines()]
    events = [event for life in lives for event in life.tape if isinstance(event, Asked | Meddled)]
    journal = [entry.as_dict() for event in events for entry in event.effects]
    return hashlib.sha256(json.dumps([journal, records], sort_keys=True).encode()).hexdigest()


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    """The record without what the sandbox draws by chance of its own."""
    graph = {k: v for k, v in (record.get("graph") or {}).items() if k != "request_id"}
    left = ("hash", "prev", "graph", *(["detail"] if record["event"] in ("checkpoint", "tail-recovered") else []))
    return {**{k: v for k, v in record.items() if k not in left}, "graph": graph}
