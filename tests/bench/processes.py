"""What a program and everything it started hold in memory, as the kernel counts it."""

from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Memory:
    """In kB. RSS counts a page once for each process that shares it, PSS shares it out."""

    processes: int
    rss: int
    pss: int


def memory_of(pid: int) -> Memory | None:
    """Add up a process and its descendants; None where there is no /proc."""
    if not (PROC / "self" / "smaps_rollup").exists():
        return None
    found = [_one(one) for one in family(pid)]
    return Memory(len(found), sum(rss for rss, _ in found), sum(pss for _, pss in found))


def family(pid: int) -> list[int]:
    parents = {int(path.name): _parent(path) for path in PROC.iterdir() if path.name.isdecimal()}
    members = [pid]
    for member in members:  # grows while it is walked
        members += [child for child, parent in parents.items() if parent == member]
    return members


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it ended while we looked
        return 0


def _one(pid: int) -> tuple[int, int]:
    lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    values = {key: int(rest.split()[0]) for key, _, rest in (line.partition(":") for line in lines)}
    return values["Rss"], values["Pss"]
