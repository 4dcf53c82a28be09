"""A period's population as CSV, a line for each leaver of each run, for whoever counts in a spreadsheet. Pure."""

from __future__ import annotations

from offboard.render.safe import for_csv
from offboard.report.period import Period

COLUMNS = (
    "displayName",
    "userPrincipalName",
    "id",
    "run",
    "leave",
    "run_began",
    "disabled_at",
    "revoked_at",
    "deleted_at",
    "punctual",
    "state",
)


def period_csv(period: Period) -> str:
    """The sheet, with a line of headings; every cell is quoted, and none is taken for a formula.

    Args:
        period: As made.
    """
    rows = [[case.row()[column] for column in COLUMNS] for case in period.cases]
    return "\r\n".join(",".join(map(for_csv, row)) for row in [list(COLUMNS), *rows])
