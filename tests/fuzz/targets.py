"""What is fuzzed, from which honest inputs, and what may come of it: an error for a person, never another."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from offboard.approval.consent import judge
from offboard.approval.files import Offer
from offboard.approval.signers import parse_signers
from offboard.audit import Anchor, read, verify
from offboard.audit.chain import digest as record_digest
from offboard.audit.chain import line_of
from offboard.graph.send import claims_challenge
from offboard.graph.token import decode
from offboard.loading.leavers import read_leavers
from offboard.loading.playbook import load as load_playbook
from offboard.model import Plan
from offboard.planfile import digest, dump, load
from offboard.planjson import canonical
from offboard.render.html import plan_html
from offboard.render.markdown import plan_markdown
from offboard.render.records import record_text
from offboard.render.text import plan_text
from offboard.report.collect import collect
from offboard.report.data import report_json
from offboard.report.evidence import document as evidence
from offboard.report.html import report_html
from offboard.report.markdown import report_markdown
from offboard.settings.configfile import parse as parse_config
from tests.fuzz.graph import graph_target
from tests.fuzz.loop import Target
from tests.fuzz.samples import APPROVAL, CONFIG, PLAN_TIME, SIGNATURE, SIGNERS, TOKEN, audit_records, signed_plan
from tests.render.samples import rich_plan

ROOT = Path(__file__).parent.parent.parent
YAML = [b"- ", b": ", b"  ", b"[", b"{", b"|", b"&a ", b"*a", b"!!", b"---", b"${", b"T+1d", b"disable-user", b"when: "]
TOML = [
    b"[tenants.x]",
    b"= ",
    b'"',
    b"[[",
    b"]]",
    b"'''",
    b"1979-05-27T07:32:00Z",
    b"inf",
    b"nan",
    b"0x",
    b"guards",
    b".",
]
CSV = [b",", b";", b"\t", b'"', b"user", b"leave", b"\n", b"a@b.c", b"T+1d", b"2026-01-01T00:00:00Z"]


def playbook() -> Target:
    """The loader of playbooks."""
    seeds = [path.read_bytes() for path in sorted((ROOT / "playbooks").glob("*.yaml"))]
    return Target("playbook", lambda data: load_playbook("fuzz.yaml", data), seeds, YAML)


def leavers() -> Target:
    """The reader of CSV lists."""
    seeds = [
        b"user,leave,successor\na@contoso.com,2026-12-01T17:00:00+01:00,b@contoso.com\n",
        b'\xef\xbb\xbfuser;leave\n"a@contoso.com";\n\na0000000-0000-4000-8000-000000000001;2026-12-01T17:00Z\n',
        b"user\tnote\r\na@contoso.com\tx\r\n",
    ]
    return Target("leavers", lambda data: read_leavers("fuzz.csv", data), seeds, CSV)


def tenants() -> Target:
    """The reader of `offboard.toml`."""
    return Target(
        "tenants", lambda data: parse_config(data, Path("/x/offboard.toml")), [CONFIG, b'default = "x"\n'], TOML
    )


def shown(plan: Plan) -> None:
    """Everything that `show` can make of a plan; each must read back as it is."""
    plan_text(plan, now=PLAN_TIME)
    plan_markdown(plan, PLAN_TIME)
    plan_html(plan, PLAN_TIME)
    assert load(dump(plan), "again") == plan


def plan() -> Target:
    """The reader of plans, as they are."""
    return Target("plan", lambda data: shown(load(data, "fuzz.json")), [dump(rich_plan())], structured=True)


def resealed_plan() -> Target:
    """Plans by somebody who knows how to make a digest."""

    def read_resealed(data: bytes) -> None:
        try:
            document = json.loads(data)
            document["digest"] = digest(document)
            content = canonical(document) + b"\n"
        except (ValueError, TypeError, RecursionError):
            return
        shown(load(content, "fuzz.json"))

    return Target("resealed-plan", read_resealed, [dump(rich_plan())], structured=True)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="offboard-fuzz-"))


def told(path: Path) -> None:
    """Everything that can be made of an audit."""
    found = verify(path)
    verify(path, anchor=Anchor(3, "sha256:" + "0" * 64))
    records = list(read(path))
    for record in records:
        record_text(record)
    run = collect(read(path), found, "r")
    report_json(run)
    made = evidence(run)
    report_html(made)
    report_markdown(made)


def audit() -> Target:
    """The reader and verifier of audits, as they are."""

    def read_audit(data: bytes) -> None:
        path = _folder() / "audit.jsonl"
        path.write_bytes(data)
        told(path)

    return Target("audit", read_audit, [b"".join(map(line_of, audit_records()))])


def rechained_audit() -> Target:
    """Audits by somebody who knows how to make a chain."""

    def read_rechained(data: bytes) -> None:
        try:
            records: list[dict[str, Any]] = json.loads(data)
            lines, prev = [], "sha256:" + "0" * 64
            for seq, record in enumerate(records, 1):
                record |= {"seq": seq, "prev": prev, "schema": record.get("schema", "")}
                record["hash"] = prev = record_digest(record)
                lines.append(line_of(record))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return
        path = _folder() / "rechained.jsonl"
        path.write_bytes(b"".join(lines))
        told(path)

    return Target("rechained-audit", read_rechained, [json.dumps(audit_records()).encode()], structured=True)


def signers() -> Target:
    """The reader of `allowed_signers`."""
    words = [
        b"*",
        b"!",
        b",",
        b'"',
        b"namespaces=",
        b'valid-before="',
        b"ssh-ed25519 ",
        b"cert-authority ",
        b"AAAA",
        b"\n",
    ]
    return Target("signers", lambda data: parse_signers(data.decode("utf-8", "replace"), "f"), [SIGNERS], words)


def approval() -> Target:
    """An approval beside a plan: the text, a line of equals signs, the signature."""
    made = signed_plan()

    def read_approval(data: bytes) -> None:
        text, _, signature = data.partition(b"=====\n")
        judge(made, [Offer("x.approval", text, signature)], parse_signers(SIGNERS.decode(), "f"), PLAN_TIME)

    words = [b"sha256:", b"-----BEGIN SSH SIGNATURE-----\n", b"U1NIU0lH", b"AAAA", b"offboard", b"\n"]
    return Target("approval", read_approval, [APPROVAL + b"=====\n" + SIGNATURE], words)


def token() -> Target:
    """What a token says of itself, and Graph's challenge for another one."""

    def read_token(data: bytes) -> None:
        text = data.decode("latin-1")
        decode(text)
        claims_challenge(text)

    seeds = [TOKEN, b'Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="']
    return Target("token", read_token, seeds, [b".", b"eyJ", b'claims="', b"=="])


TARGETS: dict[str, Callable[[], Target]] = {
    "playbook": playbook,
    "leavers": leavers,
    "tenants": tenants,
    "plan": plan,
    "resealed-plan": resealed_plan,
    "audit": audit,
    "rechained-audit": rechained_audit,
    "signers": signers,
    "approval": approval,
    "token": token,
    "graph": graph_target,
}
