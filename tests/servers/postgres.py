"""A real PostgreSQL, in a folder and on a port of its own."""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

import pytest

from tests.servers.port import free_port


class Postgres:
    """`with Postgres() as db: db.url`, a SQLAlchemy URL for psycopg; `db.new_database()` for an empty one."""

    def __init__(self) -> None:
        folder = _programs()
        if folder is None:
            pytest.skip("PostgreSQL is missing: apt-get install postgresql")
        self._programs = folder
        # A server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._databases = 0
        self.port = free_port()

    def __enter__(self) -> Self:
        self._root = Path(tempfile.mkdtemp(prefix="postgres-"))
        if os.geteuid() == 0:
            shutil.chown(self._root, self._user)
        data = self._root / "data"
        self._run("initdb", "--no-sync", "-A", "trust", "-U", "tests", "-E", "UTF8", "-D", str(data))
        options = f"-p {self.port} -k {self._root} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-w", "-D", str(data), "-l", str(self._root / "log"), "-o", options, "start")
        self.url = self.new_database()
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-w", "-D", str(self._root / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._root, ignore_errors=True)

    def new_database(self) -> str:
        """The URL of a database with nothing in it."""
        self._databases += 1
        name = f"test{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tests", name)
        return f"postgresql+psycopg://tests@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server would keep a pipe open
            stderr=subprocess.DEVNULL,
            cwd=self._root,
            user=self._user if os.geteuid() == 0 else None,
        )


def _programs() -> Path | None:
    """The newest PostgreSQL of Debian's several, or the one on PATH."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if on_path := shutil.which("initdb"):
        folders.append(Path(on_path).parent)
    return max(folders, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))], default=None)
