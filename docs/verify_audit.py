"""A second verifier of offboard's audit: nothing but Python's standard library, and no line of offboard.

    python verify_audit.py audit.jsonl [ANCHOR]

Checks that each record is written in the canonical way, has the number that follows, holds the hash of the record before
it, and has the hash of its own content. With an anchor (`SEQ:sha256:HEX`, as `offboard audit anchor` printed it) it also
finds a log that was cut before that record or rewritten. Ends with 0 when all is well, 1 when not, 2 when it cannot tell.
"""

import hashlib
import json
import re
import sys

ZERO = "sha256:" + 64 * "0"
TEXTS = ("time", "event", "code", "prev", "hash")
LONGEST = 4 * 1024 * 1024
UNSAFE = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def escaped(found):
    """One character as JSON escapes."""
    units = found[0].encode("utf-16-be").hex()
    return "".join("\\u" + units[n : n + 4] for n in range(0, len(units), 4))


def refuse(text):
    """Fractions and NaN: their spelling differs between writers, so no record holds any."""
    raise ValueError(f"{text} has no place in a record")


def parse(line):
    """The record on a line, or None."""
    try:
        found = json.loads(line.decode("utf-8"), parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def flaw(line, number, prev):
    """What is wrong with a line, and its hash; one of the two is None."""
    if not line.endswith(b"\n"):
        return "the last line is torn or was cut", None
    record = parse(line)
    if record is None:
        return "this is not a record", None
    if type(record.get("seq")) is not int or any(type(record.get(key)) is not str for key in TEXTS):
        return "a field that every record has is missing, or of another type", None
    if record["seq"] != number:
        return f"it has number {record['seq']}: records were cut out, put in, repeated or moved", None
    if record["prev"] != prev:
        return "it does not hold the hash of the record before it", None
    try:
        whole = canonical(record)
        if UNSAFE.sub(escaped, whole).encode() + b"\n" != line:
            return "it is not written in the canonical way", None
        claimed = record.pop("hash")
        digest = "sha256:" + hashlib.sha256(canonical(record).encode()).hexdigest()
    except (ValueError, RecursionError):
        return "it holds what cannot be written", None
    return (None, digest) if claimed == digest else ("its content does not match its hash", None)


def canonical(record):
    """The one way in which a record is written."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def verify(lines, anchor=None):
    """Number of good records, the last one's hash, and what is wrong with the next (None when nothing is).

    `anchor` is a pair of number and hash.
    """
    count, prev = 0, ZERO
    for line in lines:
        wrong, digest = flaw(line, count + 1, prev)
        if wrong:
            return count, prev, wrong
        count, prev = count + 1, digest
        if anchor and anchor[0] == count and anchor[1] != prev:
            return count, prev, "this is not the record that was anchored: the log was rewritten up to here"
    if anchor and anchor[0] > count:
        return count, prev, f"cut off: record {anchor[0]} was anchored"
    return count, prev, None


def lines_of(path):
    """Lines, with their ends; none longer than a record may be."""
    with open(path, "rb") as file:
        while line := file.readline(LONGEST):
            yield line


def say(text):
    """One line for people."""
    sys.stdout.write(text + "\n")


def main(words):
    """The command."""
    if not 1 <= len(words) <= 2:
        say(__doc__)
        return 2
    anchor = None
    if len(words) == 2:
        found = re.fullmatch(r"([0-9]{1,15}):(sha256:[0-9a-f]{64})", words[1].strip())
        if not found:
            say(f"{words[1]!r} is no anchor; one looks like 42:sha256:...")
            return 2
        anchor = (int(found[1]), found[2])
    try:
        count, last, wrong = verify(lines_of(words[0]), anchor)
    except OSError as error:
        say(f"{words[0]}: {error.strerror}")
        return 2
    if wrong:
        say(f"{words[0]}: broken at or after record {count}: {wrong}")
        return 1
    say(f"{words[0]}: {count} records, the chain holds.\nLast: {count}:{last}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
