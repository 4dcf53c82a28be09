"""The record for people: one JSON object a line, each holding the hash of the one before it.

Why a chain: an auditor must see that nothing was changed, cut out or put in afterwards, with a tool of his own. Why not
more (a signed tree): the log is small, and what a chain cannot show, a cut tail or a log rewritten as a whole, no
format shows that lies beside the program; it takes an *anchor*, a record's number and hash kept elsewhere.

Why fail closed: a record is on the disk before its effect leaves. If it cannot be written within five seconds, nothing is
sent. A file of 1 MiB beside the log holds room that is given up when the disk is full: nothing begins any more, but how
things ended can still be recorded.

How to check a log without this program (all that is needed is a JSON parser and SHA-256)::

    prev = "sha256:" + 64 * "0"
    for number, line in enumerate(pathlib.Path("audit.jsonl").read_bytes().splitlines(), 1):
        record = json.loads(line)
        found = record.pop("hash")
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert record["seq"] == number and record["prev"] == prev
        assert found == "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        prev = found

Records hold objects, lists, texts, whole numbers, true, false and null; no fractions, whose spelling differs between
JSON writers. On the line, control and direction characters are written as JSON escapes, so that a log shown in a
terminal cannot move its cursor or turn its text; the hash is over the characters, not over their escapes. Apart from
these escapes a line is the canonical text, byte for byte, and `verify` holds it to that.

`log` writes, `chain` verifies and reads; only `log` needs structlog, and loads it when a log is opened.
"""

from offboard.audit.chain import ZERO
from offboard.audit.disk import Disk
from offboard.audit.events import EVENTS, Event
from offboard.audit.log import Audit, AuditError
from offboard.audit.reading import read
from offboard.audit.seal import public_key
from offboard.audit.told import Told
from offboard.audit.verification import Anchor, Flaw, Verification, verify

__all__ = [
    "EVENTS",
    "ZERO",
    "Anchor",
    "Audit",
    "AuditError",
    "Disk",
    "Event",
    "Flaw",
    "Told",
    "Verification",
    "public_key",
    "read",
    "verify",
]
