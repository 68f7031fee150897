"""What the supervisor must know of the database before it starts anything: a look, at next to no cost.

The library that migrates takes two seconds to import; a database that is up to date needs none of it.
"""

import os
import re
import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from app.ready import CannotStart

try:
    import pysqlite3 as sqlite3
except ImportError:  # no wheel for this platform; the children check the version before they write
    import sqlite3

REVISION = re.compile(r"^(down_revision|revision)\b[^=\n]*=\s*(?:[\"'](\w+)[\"']|None)", re.MULTILINE)

LOOK_AT_MOST = 10.0  # seconds; a damage that lies further back in a very large file is met later
LEAST_FREE = 2**20  # bytes, without which nothing can be written at all
STEPS = 10_000  # of SQLite's machine between two looks at the clock
WHAT_TO_DO = "Nothing was changed. Keep a copy of the directory, then see docs/operations.md, Restore"


def require_sound(database: Path) -> None:
    """Make sure that the database may be worked with, without changing a byte of it.

    Raises:
        CannotStart: it is damaged, or not whole, or cannot be written; a new one is never put in its place.
    """
    try:
        _require_whole(database)
    except PermissionError as error:
        _refuse(f"{error.filename} cannot be reached: {error.strerror}")
    if database.exists() and (damage := _damage(database)):
        _refuse(f"{database} is damaged: {damage}. {WHAT_TO_DO}")


def _require_whole(database: Path) -> None:
    """Compare what lies there: SQLite itself would put a new database in the place of one that is missing."""
    log, index = (database.with_name(f"{database.name}{ending}") for ending in ("-wal", "-shm"))
    if database.parent.exists() and shutil.disk_usage(database.parent).free < LEAST_FREE:
        _refuse(f"The disk of {database.parent} is full: make room, and start again")
    if not _size(database) and _size(log):
        _refuse(f"{database} is missing or empty although its log is there. {WHAT_TO_DO}")
    if database.exists() and not _size(database):
        _refuse(f"{database} is empty, and no new one is made in its place. {WHAT_TO_DO}")
    if index.exists() and not log.exists():
        _refuse(f"{log} was removed after a crash: what it held is missing in {database.name}. {WHAT_TO_DO}")
    for file in (database, log, index):
        if file.exists() and not os.access(file, os.W_OK):
            _refuse(f"{file} cannot be written: let this user write it")


def _damage(database: Path) -> str:
    """Let SQLite read every page, in the time there is; empty when it finds nothing wrong."""
    end = time.monotonic() + LOOK_AT_MOST
    try:
        with closing(_read_only(database)) as connection:
            connection.set_progress_handler(lambda: int(time.monotonic() > end), STEPS)
            ((verdict,),) = connection.execute("PRAGMA quick_check(1)")
    except sqlite3.OperationalError:  # no time left, or in use: no sign of damage
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if verdict == "ok" else str(verdict).splitlines()[-1]


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _refuse(message: str) -> NoReturn:
    raise CannotStart(message)


def up_to_date(database: Path, versions: Path) -> bool:
    """Say whether the database stands at the newest revision in the folder `versions`."""
    return _look(database, "SELECT version_num FROM alembic_version") == [(_newest(versions),)]


def has_own_mailbox(database: Path) -> bool:
    """Say whether somebody connected a mailbox that is not the demo's."""
    return bool(_look(database, "SELECT 1 FROM mailbox WHERE NOT demo LIMIT 1"))


def _look(database: Path, query: str) -> list[tuple[object, ...]]:
    """Ask an SQLite file that may not exist or have no tables yet; both are no rows."""
    try:
        connection = _read_only(database)
    except sqlite3.OperationalError:
        return []
    try:
        return list(connection.execute(query))
    except sqlite3.DatabaseError:
        return []
    finally:
        connection.close()


def _read_only(database: Path) -> sqlite3.Connection:
    """Open the file so that closing it works no log into it."""
    return sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)


def _newest(versions: Path) -> str:
    """Find the revision that no other one follows; empty when that is not exactly one."""
    found = [dict(REVISION.findall(path.read_text())) for path in versions.glob("*.py")]
    heads = {one.get("revision", "") for one in found} - {one.get("down_revision", "") for one in found}
    return heads.pop() if len(heads) == 1 else ""
