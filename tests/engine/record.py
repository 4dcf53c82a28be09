"""Record a half-done run as this version stores it: `python -m tests.engine.record FOLDER`.

The run dies when everything of its first phase was executed and nothing of it was read back: all intents stand, no
outcome does, and a deletion is still to come. Kept under `histories/VERSION/FORMAT/`, so that every later version shows that
it can go on with it.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.world import a_world, steps

BOOK = ("disable-user", "revoke-sessions", "remove-licenses", "{id: remove, action: delete-user, due: T+30d}")
RUN = "0123456789abcdef"


class PowerCutError(BaseException):
    """The program dies here."""


async def record(folder: Path) -> None:
    """Make `runs.db` and `audit.jsonl` in the folder."""
    with tempfile.TemporaryDirectory() as place:
        async with a_world(Path(place)) as world:
            plan = await world.plan(steps(*BOOK), "SawyerM@contoso.com")
            transmit = world.connection.http.send

            async def dying(request: object, **options: object) -> object:
                answer = await transmit(request, **options)  # type: ignore[arg-type]
                if len(world.writes()) >= 3:
                    raise PowerCutError
                return answer

            world.connection.http.send = dying  # type: ignore[method-assign,assignment]
            try:
                await world.apply(plan, RUN)
            except PowerCutError:
                print([path for _, path in world.writes()])
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("runs.db", "audit.jsonl"):
            shutil.copy(Path(place) / name, folder / name)


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))
