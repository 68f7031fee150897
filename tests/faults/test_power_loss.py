"""F13: the power goes at any write. What had been committed is there, whole, and nothing else is half there.

The real steps of the pipeline run on the real file; `Disk` notes what SQLite writes and syncs. For many
moments the file is laid out as a disk may hold it then: what was synced, and of the rest any part. This
proves that we and SQLite sync what we must, in the right order; not that a disk keeps what it says it has.
"""

import random
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from app.models import Database
from tests.faults.conftest import Ledger, contents, on_disk
from tests.faults.disk import Disk, after_power_loss
from tests.jobs.conftest import World
from tests.letters import matching, newsletter

SEED = 13
SMALL = "wal_autocheckpoint=30"  # pages: so that the power also goes while the log is being worked in


@dataclass
class Found:
    """What many power losses did."""

    lost: int = 0
    corrupt: int = 0


async def test_whatever_was_committed_outlives_the_power_at_any_write(world: World, tmp_path: Path) -> None:
    with Disk(tmp_path / "signal.db") as disk:
        ledger = await _live(world, disk)
    found = await _lose_power(disk, ledger, tmp_path, moments=300)
    assert (found.lost, found.corrupt) == (0, 0)


async def test_a_database_that_syncs_less_would_have_lost_some(world: World, tmp_path: Path) -> None:
    with Disk(tmp_path / "signal.db") as disk:
        ledger = await _live(world, disk, "synchronous=NORMAL")
    found = await _lose_power(disk, ledger, tmp_path, moments=60)
    assert found.lost > 0
    assert found.corrupt == 0


async def _live(world: World, disk: Disk, *pragmas: str) -> Ledger:
    """Every kind of step of the pipeline: store, decide, claim, record; answers of several kinds."""
    async with on_disk(world, disk, SMALL, *pragmas) as (here, ledger):
        world.sink.answer(500, 200, 422)
        for _ in range(3):
            here.arrives(*(matching() for _ in range(4)), newsletter())
            await here.settle()
            world.clock.pass_(minutes=10)
        assert len(world.sink.seen) > 12
        return ledger


async def _lose_power(disk: Disk, ledger: Ledger, folder: Path, *, moments: int) -> Found:
    chance, found = random.Random(SEED), Found()
    for number in range(moments):
        moment = chance.randrange(ledger.acknowledged[0][0], len(disk.steps) + 1)
        there = folder / f"after-{number}"
        there.mkdir()
        for path, content in after_power_loss(disk, moment, chance).items():
            (there / Path(path).name).write_bytes(content)
        await _open(there, ledger, moment, found)
    return found


async def _open(folder: Path, ledger: Ledger, moment: int, found: Found) -> None:
    database = Database(f"sqlite+aiosqlite:///{folder / 'signal.db'}")
    try:
        async with database.reading() as db:
            verdict = (await (await db.connection()).execute(text("PRAGMA integrity_check"))).scalar_one()
        found.corrupt += verdict != "ok"
        later = [said for at, said in ledger.acknowledged if at > moment]
        last = [said for at, said in ledger.acknowledged if at <= moment][-1:]
        found.lost += await contents(database) not in last + later
    finally:
        await database.aclose()
