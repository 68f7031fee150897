"""Prints one table. Everything runs on loopback and is stopped; ten minutes at the very most."""

import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.bench import hostile, judging, sending
from tests.bench.mailbox import mail_server
from tests.bench.measures import Bench
from tests.bench.say import say
from tests.servers import Sink

WAITING = 1000
SINGLE = 20


def main() -> None:
    say(f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    for what, figure in judging.figures():
        say(f"{what:<66} {figure:>14}")
    with mail_server() as mailbox, Sink() as sink, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(mailbox.server, sink, Path(folder) / "data")
        for what, figure in figures(bench, mailbox.name, min(WAITING, mailbox.most)):
            say(f"{what:<66} {figure:>14}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for what, figure in chain(sending.figures(Path(folder)), hostile.figures(Path(folder))):
            say(f"{what:<66} {figure:>14}")


def figures(bench: Bench, server: str, waiting: int) -> Iterator[tuple[str, str]]:
    yield "first page, empty data directory", f"{bench.start():.1f} s"
    yield "first page, second start", f"{bench.start():.1f} s"
    flood = bench.flood(waiting)
    yield f"{flood.mails} mails waiting in {server}: worker's start to last arrival", f"{flood.seconds:.1f} s"
    yield "  mails a second, end to end", f"{flood.mails / flood.seconds:.0f}"
    yield "  from the command to the last arrival", f"{flood.whole:.1f} s"
    if flood.memory is not None:
        count, megabytes = flood.memory.processes, (flood.memory.rss / 1024, flood.memory.pss / 1024)
        yield (
            f"  memory of all {count} processes afterwards, RSS / PSS",
            "{:.0f} / {:.0f} MB".format(*megabytes),
        )
    waits = bench.single(SINGLE)
    both = f"{statistics.median(waits):.2f} / {max(waits):.2f} s"
    yield f"{SINGLE} single mails, polling each second: median / longest wait", both


main()
