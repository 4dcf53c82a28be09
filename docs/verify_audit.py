"""A second verifier of offboard's audit: nothing but Python's standard library, and no line of offboard.

    python verify_audit.py audit.jsonl [ANCHOR]

Checks that each record is written in the canonical way, has the number that follows, holds the hash of the record before it,
and has the hash of its own content; and that each checkpoint is signed by one Ed25519 key. Rotated files beside the log
(audit.1-1000.jsonl) are part of it. With an anchor, as `offboard audit anchor` printed it, it also finds a log that was cut
before that record or rewritten, and another key. Ends with 0 when all is well, 1 when not, 2 when it cannot tell.
"""

import hashlib
import json
import os
import re
import sys

ZERO, LONGEST, EVERY = "sha256:" + 64 * "0", 4 * 1024 * 1024, 1000
ANCHOR = re.compile(r"([0-9]{1,15}):(sha256:[0-9a-f]{64})(?::(ed25519:[0-9a-f]{64}))?")
ODD = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
TEXTS, KEYED = ("log", "hash", "time", "public_key", "signature"), re.compile("ed25519:[0-9a-f]{64} [0-9a-f]{128}")
TEXT = "offboard audit checkpoint 1\nlog: {log}\nrecords: {first}-{last}\ncount: {count}\nhash: {hash}\ntime: {time}\n"
P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def point(data):  # the curve's arithmetic is that of RFC 8032
    y, odd = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and odd):
        raise ValueError("no point")
    x = x if x % 2 == odd else P - x
    return x, y, 1, x * y % P


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P


def times(n, p):
    found = (0, 1, 1, 0)
    while n:
        found, p, n = add(found, p) if n & 1 else found, add(p, p), n >> 1
    return found


def signed(key, signature, text):
    try:
        a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % Q
    left, right = times(s, point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))), add(r, times(k, a))
    return s < Q and all((left[n] * right[2] - right[n] * left[2]) % P == 0 for n in (0, 1))


def sealed(record, key):
    """Whether a checkpoint is about the records before it, and signed; by this key when one is known."""
    d, last = record.get("detail"), record["seq"] - 1
    if not isinstance(d, dict) or any(type(d.get(name)) is not str for name in TEXTS):
        return False
    if not KEYED.fullmatch(f"{d['public_key']} {d['signature']}") or key not in ("", d["public_key"]):
        return False
    about = [d.get(name) for name in ("first", "last", "count", "hash")]
    if about != [1, last, last, record["prev"]] or any(type(number) is not int for number in about[:3]):
        return False
    text = TEXT.format(**d).encode("utf-8", "surrogatepass")
    return signed(bytes.fromhex(d["public_key"][8:]), bytes.fromhex(d["signature"]), text)


def canonical(record):
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def escaped(found):
    units = found[0].encode("utf-16-be").hex()
    return "".join("\\u" + units[n : n + 4] for n in range(0, len(units), 4))


def flaw(line, number, prev):
    """What is wrong with a line, and its record; one of the two is None."""
    try:
        record = json.loads(line.decode(), parse_float=int, parse_constant=int)  # fractions and NaN are in no record
        kinds = [type(record[key]) for key in ("seq", "time", "event", "code", "prev", "hash")]
        if kinds != [int, str, str, str, str, str]:
            return "a field that every record has is of another type", None
        if record["seq"] != number or record["prev"] != prev:
            return f"it has number {record['seq']}, or not the hash of the record before it", None
        if ODD.sub(escaped, canonical(record)).encode() + b"\n" != line:
            return "it was cut, or is not written in the canonical way", None
        rest = canonical({key: value for key, value in record.items() if key != "hash"})
    except (ValueError, TypeError, KeyError, RecursionError):
        return "this is not a record", None
    right = record["hash"] == "sha256:" + hashlib.sha256(rest.encode()).hexdigest()
    return (None, record) if right else ("its content does not match its hash", None)


def verify(lines, anchor=None):
    """Number of good records, the last hash, what is wrong next, up to where it is signed. `anchor`: number, hash, key or ""."""
    count, prev, key, upto = 0, ZERO, anchor[2] if anchor else "", 0
    for line in lines:
        if count == 0 and anchor and b'"event":"rotated"' in line and f'"prev":"{anchor[1]}"'.encode() in line:
            count, prev = anchor[0], anchor[1]  # the files before are kept elsewhere, and the anchor is where they end
        wrong, record = flaw(line, count + 1, prev)
        if not wrong and record["event"] == "checkpoint":
            wrong = None if sealed(record, key) else "this checkpoint is not signed as it must be"
            key, upto = (key, upto) if wrong else (record["detail"]["public_key"], count)
        elif not wrong and key and (count + 1) % EVERY == 0:
            wrong = "a checkpoint must stand here"
        if wrong:
            return count, prev, wrong, upto
        count, prev = count + 1, record["hash"]
        if anchor and anchor[0] == count and anchor[1] != prev:
            return count, prev, "this is not the record that was anchored: the log was rewritten up to here", upto
    wrong = f"cut off: record {anchor[0]} was anchored" if anchor and anchor[0] > count else None
    return count, prev, wrong, upto


def lines_of(path):
    """Lines of the rotated files, in order, and of the log, with their ends; none longer than a record may be."""
    folder, name = os.path.split(os.path.abspath(path))
    form = re.compile(r"\.([0-9]{1,15})-[0-9]{1,15}".join(map(re.escape, os.path.splitext(name))))
    found = sorted((int(m[1]), os.path.join(folder, m[0])) for m in map(form.fullmatch, os.listdir(folder)) if m)
    for file in [*(each for _, each in found if not os.path.samefile(each, path)), path]:
        with open(file, "rb") as opened:
            while line := opened.readline(LONGEST):
                yield line


def main(words):
    found = [ANCHOR.fullmatch(word.strip()) for word in words[1:]]
    if not 1 <= len(words) <= 2 or None in found:
        sys.stdout.write(f"{__doc__}\nAn anchor looks like 42:sha256:... or 42:sha256:...:ed25519:...\n")
        return 2
    anchor = (int(found[0][1]), found[0][2], found[0][3] or "") if found else None
    try:
        count, last, wrong, upto = verify(lines_of(words[0]), anchor)
    except OSError as error:
        sys.stdout.write(f"{words[0]}: {error.strerror}\n")
        return 2
    told = f"broken after record {count}: {wrong}" if wrong else f"{count} records, the chain holds."
    sys.stdout.write(f"{words[0]}: {told}\nLast: {count}:{last}\nSigned up to record {upto}.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
