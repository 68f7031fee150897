"""Named points at which tests let a process die, passed down like `now`."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

POINTS = (
    "announce.after",
    "fetch.after",
    "t1.before_commit",
    "t1.after_commit",
    "flag.before",
    "decide.claimed",
    "t2.before_commit",
    "t2.after_commit",
    "claim.after_commit",
    "send.after",
    "record.before_commit",
    "record.after_commit",
)


@dataclass(frozen=True, slots=True)
class Crash:
    """Kills this process at `at`, once for each data directory: `name`, or `name:n` for the first n times."""

    at: str = ""
    marks: Path = Path()

    def point(self, name: str) -> None:
        wanted, _, times = self.at.partition(":")
        if name != wanted:
            return
        for turn in range(int(times or 1)):
            try:
                (self.marks / f"crashed-{name}-{turn}").touch(exist_ok=False)
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
