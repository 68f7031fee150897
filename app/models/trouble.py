"""What may be wrong with the database itself, told apart from what is wrong with what was asked of it."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import exc

PRIMARY = 0xFF  # SQLite's extended codes say more in the bits above
MEGABYTE = 2**20


class Trouble(StrEnum):
    BUSY = "busy"  # somebody else has held it for longer than we wait
    FULL = "full"
    READ_ONLY = "read_only"
    DAMAGED = "damaged"
    AWAY = "away"  # the disk or the server fails


_CODES = {  # SQLite's primary result codes
    5: Trouble.BUSY,
    6: Trouble.BUSY,
    15: Trouble.BUSY,
    13: Trouble.FULL,
    8: Trouble.READ_ONLY,
    11: Trouble.DAMAGED,
    26: Trouble.DAMAGED,
    10: Trouble.AWAY,
    14: Trouble.AWAY,
}


def trouble_of(error: BaseException) -> Trouble | None:
    """Say what ails the database, if that is what the error is about; a mistake of ours is none of it."""
    if isinstance(error, exc.TimeoutError):  # of the pool: others wait for the same
        return Trouble.BUSY
    if not isinstance(error, exc.DBAPIError):
        return None
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return _CODES.get(code & PRIMARY)
    return Trouble.AWAY if isinstance(error, exc.OperationalError) or error.connection_invalidated else None


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the tables live: a file of ours and the disk under it, or (no path) somebody else's server."""

    path: Path | None
    least_free: int  # megabytes

    def trouble(self) -> Trouble | None:
        """Look at the file and its disk; what is found keeps mail where it is: on its server, and safe."""
        if self.path is None:
            return None
        try:
            disk = os.statvfs(self.path)
        except OSError:
            return Trouble.AWAY
        if not os.access(self.path, os.W_OK):  # also when the whole file system turned read-only
            return Trouble.READ_ONLY
        return Trouble.FULL if disk.f_bavail * disk.f_frsize < self.least_free * MEGABYTE else None
