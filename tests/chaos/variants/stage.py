"""The whole program with another way of taking mail in."""

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from app import log, worker
from app.config import Config
from app.jobs.candidate import Shelf, Start
from app.jobs.poll import TakeIn
from app.jobs.visit import Visit
from app.supervisor.run import Plan, stages
from app.supervisor.supervisor import Supervisor


def play(module: str, take_in: TakeIn) -> None:
    """Be `run`, or the worker that it starts: the same module with another word."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("run", "worker"))
    parser.add_argument("--port", type=int)
    parser.add_argument("--data-dir", type=Path)
    options = parser.parse_args()
    if options.role == "worker":
        config = Config.load()
        log.configure("worker", form=config.log_format, level=config.log_level)
        worker.run(config, take_in=take_in)
    else:
        asyncio.run(_supervisor(module, options.port, options.data_dir).run())


def shelf(visit: Visit, first: int) -> Shelf:
    """Where mails go, of a folder whose every mail counts."""
    start = Start(settled=True, baseline=0, first_contact=visit.mailbox.first_contact, since=None)
    return Shelf(
        folder_id=visit.folder_id,
        uidvalidity=visit.status.uidvalidity,
        first=first,
        mailbox=visit.mailbox,
        start=start,
        limit_mb=None,
    )


def _supervisor(module: str, port: int, data_dir: Path) -> Supervisor:
    """As the program puts it together; the environment names its Redis."""
    plan = Plan(host="127.0.0.1", port=port, data_dir=data_dir, database_url="", redis_url="", demo=False)
    argv = (sys.executable, "-P", "-m", module, "worker")
    ours = [
        [replace(child, argv=argv) if child.name == "worker" else child for child in stage]
        for stage in stages(plan, None)
    ]
    return Supervisor(ours)
