"""`leavers.csv`: who leaves, when, and with which parameters.

A header row; the column `user` (user principal name or object id), optionally `leave` (a time with zone), and one column
per parameter. Comma, semicolon or tab; UTF-8 with or without byte order mark. All bad rows are named at once; a list that
names nobody is an error, because an empty list is far more often the wrong file than a wish.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from offboard.errors import Problem, SourceError, UsageError
from offboard.loading.source import Mark, Text, characters, decode, near, refuse, shown
from offboard.loading.times import parse_time

__all__ = ["LeaverList", "LeaverRow", "parse_time", "read_leavers"]

MAX_BYTES = 16 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 60
_DELIMITERS = (",", ";", "\t")
_USER = re.compile(
    r"""[^\s@/\\?%"<>|*:;,()\[\]{}]{1,200}@[^\s@/\\?%"<>|*:;,()\[\]{}#]{1,200}"""
    r"""|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"""
)
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class LeaverRow:
    """One leaver as listed.

    Args:
        user: User principal name or object id, as written.
        leave: T, in UTC; None when the list does not say.
        parameters: Values of the other columns; empty cells are left out.
        line: 1-based.
    """

    user: str
    leave: datetime | None
    parameters: Mapping[str, str]
    line: int


@dataclass(frozen=True, slots=True)
class LeaverList:
    """The leavers of one list, each once, and what a person should know about the list."""

    rows: tuple[LeaverRow, ...]
    remarks: tuple[str, ...] = ()


def read_leavers(name: str, data: bytes) -> LeaverList:
    """The leavers of a list.

    Args:
        name: The file as the user named it, or `-`.
        data: Its bytes.

    Raises:
        SourceError: It is no such list, or rows are wrong; all of them are named.
    """
    path = "standard input" if name == "-" else name
    text = decode(path, data, MAX_BYTES)
    source = Text.of(path, text)
    problems = list(characters(source, text, tabs=True))
    if problems:
        raise refuse(problems)
    reader = _Reader(source)
    found = reader.run()
    if reader.problems:
        raise refuse(reader.problems)
    if not found.rows:
        raise SourceError(
            [Problem(path, 0, 0, "lists nobody: there is a header row and nothing below it")],
            todo="Is it the right file?",
        )
    return found


@dataclass(slots=True)
class _Reader:
    """Reads rows one by one; complains about every bad one."""

    source: Text
    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    seen: dict[str, LeaverRow] = field(default_factory=dict)

    def run(self) -> LeaverList:
        rows = self._rows()
        line, cells = next((row for row in rows if any(row[1])), (1, []))
        header = self._header(line, cells)
        for line, cells in rows:
            if not header or len(self.problems) > 1000:
                break
            if len(self.seen) >= MAX_ROWS:
                self._complain(line, "", f"more than {MAX_ROWS:,} leavers")
                break
            if any(cells):
                self._row(line, header, cells)
        return LeaverList(tuple(self.seen.values()), tuple(self.remarks))

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with the line it begins in; stops with a complaint where the quoting is broken."""
        lines = [line + "\n" for line in self.source.lines]
        reader = csv.reader(lines, delimiter=_delimiter(lines), strict=True)
        start = 1
        try:
            for cells in reader:
                yield start, [cell.strip() for cell in cells]
                start = reader.line_num + 1
        except csv.Error as error:
            unclosed = "unexpected end" in str(error)
            what = "a quote that is opened here is never closed" if unclosed else f"the quoting is wrong: {error}"
            self._complain(start, "", what, 'inside quotes, write "" for a quote')

    def _complain(self, line: int, value: str, message: str, hint: str = "") -> None:
        quote = self.source.lines[line - 1] if line <= len(self.source.lines) else ""
        column = quote.find(value) + 1 if value else 1
        mark = Mark(line, max(1, column), len(value) if column else 1)
        self.problems.append(self.source.problem(mark, message, hint))

    def _header(self, line: int, cells: list[str]) -> list[str]:
        names = [cell.lower() if cell.lower() in ("user", "leave") else cell for cell in cells]
        while names and not names[-1]:
            names.pop()
        if "user" not in names:
            self._no_user(line, names)
            return []
        if len(names) > MAX_COLUMNS:
            self._complain(line, "", f"{len(names)} columns; {MAX_COLUMNS} are allowed")
            return []
        for n, name in enumerate(names):
            if name in names[:n]:
                self._complain(line, cells[n], f"the column {shown(name)} stands there twice")
            elif not _PARAMETER.fullmatch(name):
                self._complain(line, cells[n], f"{shown(name)} cannot be a column", "it must be a parameter's name")
        return names

    def _no_user(self, line: int, names: list[str]) -> None:
        first = names[0] if names else ""
        if _USER.fullmatch(first):
            hint = "the first row names the columns: user, and perhaps leave and parameters"
        else:
            word = next((x for x in names if near(x.lower(), ["user"]) or "user" in x.lower()), "")
            hint = f"rename {shown(word)} to user" if word else "user holds user principal names or object ids"
        self._complain(line, "", "there is no column 'user'", hint)

    def _row(self, line: int, header: Sequence[str], cells: list[str]) -> None:
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) != len(header):
            self._complain(line, "", f"expected {len(header)} cells as in the header, found {len(cells)}")
            return
        values = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
        user, leave = values.pop("user", ""), values.pop("leave", "")
        before = len(self.problems)
        if not _USER.fullmatch(user):
            what = f"{shown(user)} is neither a user principal name nor an object id" if user else "no user"
            self._complain(line, user, what)
        when = self._leave(line, leave)
        for name, value in values.items():
            if "\n" in value or "\r" in value or len(value) > 1000:
                self._complain(line, "", f"the value of {name} has several lines or more than 1,000 characters")
        if len(self.problems) == before:
            self._add(LeaverRow(user, when, values, line))

    def _leave(self, line: int, text: str) -> datetime | None:
        if not text:
            return None
        try:
            return parse_time(text)
        except UsageError as error:
            self._complain(line, text, f"leave: {error.what}", error.todo)
            return None

    def _add(self, row: LeaverRow) -> None:
        first = self.seen.setdefault(row.user.casefold(), row)
        if first is row:
            return
        if (first.leave, first.parameters) != (row.leave, row.parameters):
            hint = "keep one of the two rows"
            self._complain(row.line, row.user, f"{row.user} stands in line {first.line} with other values", hint)
        else:
            self.remarks.append(f"line {row.line}: {row.user} stands in line {first.line} already; counted once")


def _delimiter(lines: Sequence[str]) -> str:
    """The one that gives the header a `user` column, else the most frequent."""
    header = next((line for line in lines if line.strip()), "")
    for each in _DELIMITERS:
        if "user" in (cell.strip().strip('"').lower() for cell in header.split(each)) and each in header:
            return each
    return max(_DELIMITERS, key=header.count)
