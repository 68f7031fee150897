"""Who holds a lease, and whether that process is still alive."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from app.models import Database, LogEvent, Process, ProcessState

BEAT = 5.0  # seconds

log = structlog.get_logger()


@cache
def machine() -> str:
    """Name this boot of this machine, and the container: process numbers mean nothing elsewhere or later."""
    boot, numbers = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    told = boot.read_text().strip()[:8] if boot.exists() else "boot"
    return f"{socket.gethostname()}-{told}-{numbers.stat().st_ino if numbers.exists() else 0}"


def owner_of(role: str) -> str:
    """Give this process's name on a lease: machine/role/pid/start."""
    return f"{machine()}/{role}/{os.getpid()}/{started(os.getpid())}"


def dead(owner: str) -> bool:
    """Say whether a process of this machine is gone; of other machines nobody here can tell."""
    home, _, rest = owner.partition("/")
    if home != machine():
        return False
    _, pid, start = rest.split("/")
    return not _alive(int(pid)) or started(int(pid)) != start


def holds(owner: str | None, until: datetime | None, now: datetime, *, length: timedelta) -> bool:
    """Say whether a lease is still good; one that ends too far ahead was written by a wrong clock."""
    if not owner or until is None or dead(owner):
        return False
    return now < until <= now + 2 * length


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def started(pid: int) -> str:
    """Give the process's start in clock ticks, so that a number used again is not taken for it.

    "0" where there is no /proc; "" for a process that ended and was not yet taken leave of.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "0"
    return "" if fields[0] in "ZX" else fields[19]


@asynccontextmanager
async def registered(
    database: Database,
    *,
    role: str,
    now: Callable[[], datetime],
    restarts: int = 0,
    last_exit: str = "",
    queue_ok: Callable[[], bool] = lambda: True,
) -> AsyncIterator[str]:
    """Keep this process's row while the block runs; gives the owner's name."""
    owner = owner_of(role)
    row = Process(
        owner=owner,
        role=role,
        machine=machine(),
        pid=os.getpid(),
        started_at=now(),
        beat_at=now(),
        restarts=restarts,
        last_exit=last_exit,
    )
    await _sign_on(database, row)
    beats = asyncio.create_task(_beat(database, owner, now, queue_ok))
    try:
        yield owner
    finally:
        beats.cancel()
        with suppress(asyncio.CancelledError):
            await beats
        async with database.transaction() as db:
            await db.exec(
                update(Process)
                .where(col(Process.owner) == owner)
                .values(state=ProcessState.STOPPED, beat_at=now())
            )


async def _sign_on(database: Database, process: Process) -> None:
    async with database.transaction() as db:
        earlier = select(Process).where(Process.role == process.role, Process.machine == process.machine)
        for row in (await db.exec(earlier)).all():
            if row.state is not ProcessState.READY or dead(row.owner):
                await db.delete(row)
        db.add(process)
        if process.last_exit:
            facts = {"last_exit": process.last_exit, "restarts": process.restarts}
            db.add(
                LogEvent(
                    at=process.started_at,
                    level="warning",
                    event="process restarted",
                    subject=process.role,
                    facts=facts,
                )
            )


async def _beat(
    database: Database, owner: str, now: Callable[[], datetime], queue_ok: Callable[[], bool]
) -> None:
    while True:
        await asyncio.sleep(BEAT)
        beat = update(Process).where(col(Process.owner) == owner).values(beat_at=now(), queue_ok=queue_ok())
        try:
            async with database.transaction() as db:
                await db.exec(beat)
        except SQLAlchemyError as error:  # the page will see the silence; the next beat may get through
            log.warning("heartbeat not written", error=type(error).__name__)


async def note_deaths(database: Database, now: datetime) -> bool:
    """Mark processes of this machine that are gone; True when there was one."""
    async with database.reading() as db:
        ready = select(Process.owner).where(Process.state == ProcessState.READY, Process.machine == machine())
        gone = [owner for owner in (await db.exec(ready)).all() if dead(owner)]
    if not gone:
        return False
    async with database.transaction() as db:
        marked = await db.exec(
            update(Process)
            .where(col(Process.owner).in_(gone), col(Process.state) == ProcessState.READY)
            .values(state=ProcessState.DIED)
            .returning(col(Process.role))
        )
        for role in marked.scalars():  # another process may have noticed it first
            db.add(LogEvent(at=now, level="warning", event="process died", subject=role))
    return True
