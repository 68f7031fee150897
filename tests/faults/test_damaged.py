"""F22 and F23: a database that is damaged, not whole or read-only stops the start, and is left as it is."""

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.models import sqlite
from app.ready import CannotStart
from app.supervisor.first_look import require_sound
from tests.stand_ins import started

PAGE = 4096
# root may write what nobody may write; without these capabilities it may not
ROOT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--")
UNPRIVILEGED = ROOT if os.geteuid() == 0 else ()
ROWS = 400
EVENT = (
    "INSERT INTO log_event (at, level, event, subject, facts)"
    " VALUES ('2026-11-16 10:00:00', 'info', ?, hex(randomblob(200)), '{}')"
)


@pytest.fixture
def crashed(schema: Path, tmp_path: Path) -> Path:
    """A database with something in it and in its log, as a machine that went down leaves it."""
    return _crashed(schema, tmp_path / "data", ROWS)


def _crashed(schema: Path, folder: Path, rows: int) -> Path:
    alive = folder.with_name(f"{folder.name}-alive") / "signal.db"
    alive.parent.mkdir()
    folder.mkdir()
    shutil.copy(schema, alive)
    with closing(sqlite.install().connect(alive, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executemany(EVENT, [("before",)] * rows)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.executemany(EVENT, [("after",)] * rows)
        for ending in ("", "-wal", "-shm"):
            shutil.copy(f"{alive}{ending}", folder)
    return folder / "signal.db"


def _with_log_of_another(database: Path, schema: Path) -> None:
    other = _crashed(schema, database.parent.with_name("other"), 3 * ROWS)
    shutil.copy(f"{other}-wal", f"{database}-wal")


def _overwritten(database: Path, schema: Path) -> None:
    """The first page of a table, by nothing that a table could begin with."""
    with closing(sqlite.install().connect(schema)) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_delivery_due'")
    content = bytearray(database.read_bytes())
    content[(page - 1) * PAGE : page * PAGE] = b"\xa5" * PAGE
    database.write_bytes(content)


DAMAGES: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "a page overwritten": (_overwritten, "is damaged"),
    "half of it gone": (lambda path, _: _cut(path, 2), "is damaged"),
    "its beginning overwritten": (lambda path, _: path.write_bytes(b"#" * PAGE * 3), "is damaged"),
    "all of it gone but the log": (
        lambda path, _: path.write_bytes(b""),
        "missing or empty although its log",
    ),
    "removed but for the log": (lambda path, _: path.unlink(), "missing or empty although its log"),
    "the log removed": (lambda path, _: Path(f"{path}-wal").unlink(), "was removed after a crash"),
    "the log of another database": (_with_log_of_another, "is damaged"),
}


def _cut(path: Path, parts: int) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // parts // PAGE * PAGE])


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_database_stops_the_start_in_one_line_and_stays_as_it_is(
    crashed: Path, schema: Path, damage: str
) -> None:
    inflict, said = DAMAGES[damage]
    inflict(crashed, schema)
    before = _kept(crashed)
    async with started("app.cli", "run", "--data-dir", str(crashed.parent), "--port", "1") as running:
        assert await running.ended() == 2
    assert said in running.errors
    assert running.errors.startswith("signal-server: ")
    assert running.errors.count("\n") == 1
    assert "docs/operations.md, Restore" in running.errors
    assert _kept(crashed) == before


def test_a_database_after_a_crash_is_sound_and_its_log_is_not_touched(crashed: Path) -> None:
    before = _kept(crashed)
    require_sound(crashed)
    assert _kept(crashed) == before
    with closing(sqlite.install().connect(crashed)) as connection:
        ((rows,),) = connection.execute("SELECT count(*) FROM log_event")
    assert rows == 2 * ROWS


@pytest.mark.parametrize("seed", range(20))
def test_a_page_that_was_overwritten_is_found_or_stood_in_the_log_anyway(crashed: Path, seed: int) -> None:
    chance, content = random.Random(seed), bytearray(crashed.read_bytes())
    at = chance.randrange(len(content) // PAGE) * PAGE
    content[at : at + PAGE] = chance.randbytes(PAGE)
    crashed.write_bytes(content)
    before = _kept(crashed)
    try:
        require_sound(crashed)
    except CannotStart:
        return
    finally:
        assert _kept(crashed) == before
    with closing(sqlite.install().connect(crashed)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM log_event").fetchall() == [(2 * ROWS,)]


@pytest.mark.parametrize("name", ["signal.db", "signal.db-wal", "signal.db-shm", ""])
def test_what_this_user_may_not_write_stops_the_start_in_one_line(crashed: Path, name: str) -> None:
    locked = crashed.parent / name
    locked.chmod(0o444 if name else 0o555)
    ended = subprocess.run(
        [*UNPRIVILEGED, sys.executable, "-m", "app.cli", "run", "--data-dir", str(crashed.parent)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    locked.chmod(0o755)
    assert ended.returncode == 2
    assert re.fullmatch(rf"signal-server: .*{re.escape(str(locked))} cannot be written: .*\n", ended.stderr)


def test_a_directory_without_a_database_is_a_first_start(tmp_path: Path) -> None:
    require_sound(tmp_path / "signal.db")
    require_sound(tmp_path / "not there yet" / "signal.db")


def test_an_empty_file_is_no_first_start(tmp_path: Path) -> None:
    (tmp_path / "signal.db").touch()
    with pytest.raises(CannotStart, match="is empty, and no new one is made in its place"):
        require_sound(tmp_path / "signal.db")
    assert [path.name for path in tmp_path.iterdir()] == ["signal.db"]


def _kept(database: Path) -> dict[str, bytes]:
    """The files that hold mail: the third is an index over the log, and always made anew."""
    paths = (database, Path(f"{database}-wal"))
    return {path.name: path.read_bytes() for path in paths if path.exists()}
