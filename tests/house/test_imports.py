"""The rules of the house about imports: downward only, no circles, and nothing heavy before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "offboard"
LEVELS = (
    ("errors", "exits", "model", "facts", "clock", "shape", "recipients"),
    ("actions",),
    ("settings", "loading"),
    ("planner", "planfile", "planjson", "planshape", "packing", "guards", "permissions", "findings"),
    ("graph", "audit", "approval", "render", "report"),
    ("schema", "runs", "pages", "doctor"),
    ("cli",),
    ("__main__",),
)
"""Rooms from the ground up; a room may import from its own level and from below. The sandbox stands apart."""
HEAVY = ("msgraph", "azure", "httpx", "rich", "structlog", "kiota_abstractions", "dbos", "starlette", "uvicorn")


def imports_of(path: Path) -> set[str]:
    """The modules of offboard that a file imports, anywhere in it, other than for types only."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return {name for name in found if name.startswith("offboard.")}


def room(module: str) -> str:
    """`offboard.graph.read` → `graph`."""
    return module.split(".")[1]


def level(name: str) -> int:
    """How high a room stands."""
    return next(n for n, rooms in enumerate(LEVELS) if name in rooms)


FILES = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"]


def own_room(path: Path) -> str:
    """The room that a file belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_downward_only(path: Path) -> None:
    mine = own_room(path)
    others = {
        room(name)
        for name in imports_of(path)
        if (PACKAGE / room(name)).exists() or (PACKAGE / f"{room(name)}.py").exists()
    }
    if mine == "sandbox":
        assert others <= {"sandbox"}, "the sandbox is spoken to in HTTP only and knows nobody"
        return
    if mine != "cli":
        assert "sandbox" not in others, "only the command line opens the sandbox"
    too_high = {other for other in others - {"sandbox"} if level(other) > level(mine)}
    assert not too_high


def test_no_module_imports_itself_by_a_detour() -> None:
    names = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
    graph = {
        name: {other for other in imports_of(path) if other in names and other != name} for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join((*trail[trail.index(name) :], name))
        if name not in done:
            for other in graph[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


LIGHT = [
    ["--help"],
    ["run", "--help"],
    ["validate", "leaver"],
    ["schema", "playbook"],
    ["playbooks"],
    ["actions"],
    ["permissions", "leaver"],
    ["runs"],
]


@pytest.mark.parametrize("words", LIGHT, ids=" ".join)
def test_a_light_command_imports_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; from offboard.cli import main\n"
        f"try: main({words!r})\n"
        "except SystemExit as end: code = end.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], code, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={"HOME": str(tmp_path), "PATH": ""},
    )

    assert done.stderr.strip().splitlines()[-1] == "[] 0", done.stderr
