"""`when:` conditions, in CEL (https://cel.dev): typed, without side effects, and failing closed.

A condition sees `leaver.FIELD` (Graph's property names; null when empty) and `parameters.NAME` (text). What can be told
without a leaver is told when the playbook is loaded: syntax, unknown fields and functions, a result that is not true or
false. What is left (a null where a text is needed) makes the step not happen, and the plan says why.

Why limits: the language has no loops, but its list macros multiply when nested; a condition that needs more than one is
no condition an administrator can review.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offboard.loading.expressioncheck import MACROS, SAMPLE, ExpressionError, check, tokens
from offboard.loading.source import near, shown
from offboard.model import JSON

__all__ = ["Expression", "ExpressionError", "compile_expression"]

_FUNCTIONS = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches", "int", "uint", "double", "string", "has"}
)
_PLACE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition, checked and compiled.

    Args:
        text: As written.
        parameters: Names it uses, each with its 0-based offset.
    """

    text: str
    parameters: tuple[tuple[str, int], ...] = ()
    program: Any = field(default=None, compare=False, repr=False)

    def holds(self, leaver: Mapping[str, JSON], parameters: Mapping[str, str]) -> bool:
        """Whether the condition is true.

        Args:
            leaver: The leaver's fields, under Graph's names.
            parameters: Those that have a value.

        Raises:
            ExpressionError: It cannot be decided: a field is empty where a value is needed, or types do not fit.
        """
        result = _guarded(self.program.execute, {"leaver": dict(leaver), "parameters": dict(parameters)})
        if result is True or result is False:
            return bool(result)
        raise ExpressionError(f"{shown(self.text)} gives {_kind(result)}, not true or false")


@functools.lru_cache(maxsize=256)
def compile_expression(text: str) -> Expression:
    """A condition, ready to be asked.

    Args:
        text: As written under `when:`.

    Raises:
        ExpressionError: Too long, no CEL, unknown fields or functions, or never true or false. Its `offset` tells where.
    """
    used = check(text)
    program = _guarded(_library().compile, text)
    _known_names(text, program)
    _try_out(text, program, {name for name, _ in used})
    return Expression(text, tuple(used), program)


def _known_names(text: str, program: Any) -> None:
    bound = set(re.findall(r"\.(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,", text))
    for name in program.references()["variables"]:
        if name not in {"leaver", "parameters"} | bound:
            raise _unknown("name", name, text, ["leaver", "parameters"])
    for name in program.references()["functions"]:
        if name[0].isalpha() and name not in _FUNCTIONS:
            raise _unknown("function", name, text, sorted(_FUNCTIONS | MACROS))


def _unknown(kind: str, name: str, text: str, known: list[str]) -> ExpressionError:
    word, advice = near(name, known), f'; text stands in quotes: "{name}"' if kind == "name" else ""
    offset = next((t.offset for t in tokens(text) if t.kind == "name" and t.text == name), 0)
    return ExpressionError(
        f"unknown {kind} '{name}'",
        offset=offset,
        width=len(name),
        todo=f"did you mean '{word}'?" if word else f"known are {', '.join(known)}{advice}",
    )


def _try_out(text: str, program: Any, parameters: set[str]) -> None:
    """Ask once about an invented leaver, whose types are the real ones; other troubles may depend on the person."""
    try:
        result = program.execute({"leaver": SAMPLE, "parameters": dict.fromkeys(parameters, "1")})
    except TypeError as error:
        raise ExpressionError(
            f"{shown(text)} compares or combines values of different types",
            todo='text stands in quotes: leaver.employeeId == "7"',
        ) from error
    except Exception as error:
        if "not a valid regex" in str(error):
            what = str(error).partition(" not a valid regex")[0].rpartition("error: ")[2]
            raise ExpressionError(f"{what[:60]} is no regular expression, or too large a one") from error
        return
    if not isinstance(result, bool):
        raise ExpressionError(f"{shown(text)} gives {_kind(result)}, not true or false", width=len(text))


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {str: "text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}.get(
        type(value), f"a {type(value).__name__}"
    )


def _guarded(call: Any, argument: Any) -> Any:
    """Call into the library; whatever it raises is about the condition."""
    try:
        return call(argument)
    except KeyError as error:
        raise ExpressionError(f"the parameter {error.args[0]} has no value") from error
    except TypeError as error:
        raise ExpressionError("a value is empty, or of another type than it is compared with") from error
    except Exception as error:
        raise _syntax(argument, str(error)) from error


def _syntax(argument: Any, message: str) -> ExpressionError:
    found = _PLACE.search(message)
    if found is None or not isinstance(argument, str):
        if message.startswith("Undefined variable or function"):
            # The names were checked when it was compiled: the function exists, but not for null.
            return ExpressionError(
                "a value is empty where text is needed", todo="test it first: leaver.mail != null && …"
            )
        return ExpressionError(message.split(". Check ")[0].split("\n")[0][:200])
    lines = argument.split("\n")
    line, column = int(found[1]), int(found[2])
    offset = sum(len(x) + 1 for x in lines[: line - 1]) + column - 1
    said = found[3].split(" expecting ")[0].replace("'<EOF>'", "the end")
    return ExpressionError(f"this is not CEL: {said}", offset=max(0, min(offset, len(argument) - 1)))


@functools.cache
def _library() -> Any:
    """The extension module of `common-expression-language`, without the package around it.

    The package imports its own terminal program (typer, rich, prompt_toolkit) on every import, 0.2 s that a condition
    does not need. The module is registered under its own name, so a later `import cel` finds the same one.
    """
    from importlib.machinery import PathFinder
    from importlib.util import find_spec, module_from_spec

    if "cel.cel" not in sys.modules:
        package = find_spec("cel")
        places = list(package.submodule_search_locations or ()) if package else []
        spec = PathFinder.find_spec("cel.cel", places)
        if spec is None or spec.loader is None:
            import cel

            return cel
        module = module_from_spec(spec)
        sys.modules["cel.cel"] = module
        spec.loader.exec_module(module)
    return sys.modules["cel.cel"]
