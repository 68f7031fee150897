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
    "claim.before_commit",
    "claim.after_commit",
    "send.after",
    "record.before_commit",
    "record.after_commit",
    "sweep.before_commit",
    "release.before_commit",
    "replay.before_commit",
    "replay.after_commit",
)


@dataclass(frozen=True, slots=True)
class Crash:
    """Kills this process at the points of `at`, each once for a data directory, `name:n` n times."""

    at: str = ""
    marks: Path = Path()

    def point(self, name: str) -> None:
        wanted = dict(part.partition(":")[::2] for part in self.at.split(","))
        if name not in wanted:
            return
        for turn in range(int(wanted[name] or 1)):
            try:
                (self.marks / f"crashed-{name}-{turn}").touch(exist_ok=False)
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
