"""What caps and freezes say to the person who is stopped."""

from __future__ import annotations

from pathlib import Path

from offboard.sandbox.server import ServerThread
from offboard.sandbox.tenant import Sandbox
from tests.cli.conftest import Offboard
from tests.world import Time

CONFIG = """
default = "contoso"
[tenants.contoso]
sign_in = "none"
graph_url = "{url}"
[tenants.contoso.guards]
approval = "none"
max_deletes = 0
freeze = [{{from = 2020-01-01T02:00:00+02:00, until = 2090-01-01T01:00:00+01:00, reason = "year end"}}]
"""


def test_caps_count_in_words_and_freezes_are_told_in_utc(tmp_path: Path, offboard: Offboard, time: Time) -> None:
    sandbox = Sandbox.open(None, now=time.clock().now)
    with ServerThread(sandbox) as server:
        config = tmp_path / "offboard.toml"
        config.write_text(CONFIG.format(url=server.url))
        config.chmod(0o600)
        said = offboard("run", "leaver-now", "SawyerM@contoso.com", "--yes")
    words = " ".join(said.err.split())
    assert said.code == 3, words
    assert "1 deletion, and the tenant allows 0 in one run" in words
    assert "from 2020-01-01 00:00Z until 2090-01-01 00:00Z (year end)" in words
    assert sandbox.journal() == []
    sandbox.close()
