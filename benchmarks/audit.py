"""How long the audit of ten thousand leavers takes to verify."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.results import Row
from benchmarks.served import OFFBOARD, run
from offboard.audit import Audit
from offboard.settings.statefolder import StateFolder

RECORDS = 180_000


def write(path: Path, records: int) -> None:
    """Intents and outcomes as a bulk run leaves them: two for each change, nine changes for each leaver."""
    log = Audit.open(path, now=lambda: datetime.now(UTC)).bind(run="b" * 16, plan="a" * 16, actor="bench")
    pairs = range(records // 2)
    for first in range(0, len(pairs), 500):
        log.write_many([each for n in pairs[first : first + 500] for each in _pair(n)])


def _pair(n: int) -> Iterator[tuple[str, dict[str, object]]]:
    id_ = f"00000000-0000-4000-8000-{n // 9:012d}"
    leaver = {"id": id_, "upn": f"person{n // 9:05d}@contoso.com"}
    change = {"verb": "disable", "target": {"kind": "user", "id": id_, "name": f"Person {n // 9:05d}"}}
    common: dict[str, object] = {"leaver": leaver, "step": "disable-user", "action": "disable-user", "change": change}
    yield "intent", common
    yield (
        "outcome",
        {**common, "outcome": "changed", "graph": {"method": "PATCH", "path": f"/users/{id_}", "status": 204}},
    )


def rows(repeat: int, records: int = RECORDS) -> Iterator[Row]:
    """`audit verify` over so many records."""
    with tempfile.TemporaryDirectory(prefix="offboard-bench-") as name:
        state = StateFolder.open(Path(name) / "state", {})
        write(state.tenant_folder("sandbox") / "audit.jsonl", records)
        used = [run([*OFFBOARD, "--state", str(Path(name) / "state"), "audit", "verify"]).must(0) for _ in range(repeat)]
    yield Row(f"`audit verify`, {records:,} records", "≤ 4 s", tuple(u.wall for u in used), "s", most=4.0)
    yield Row("CPU of the same", "", tuple(u.cpu for u in used), "s")
