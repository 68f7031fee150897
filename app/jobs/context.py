"""What every job is given: the ledger, the neighbours, the clock; put together in `worker`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from app.config import Config
from app.crash import Crash
from app.integrations.parser import Parser
from app.integrations.webhook import Webhooks
from app.jobs.queue import Queue
from app.models import Database
from app.vault import Vault


@dataclass(frozen=True, slots=True)
class Bells:
    """Wake this process's loops at once; other processes are woken through the queue or look each second."""

    decide: asyncio.Event = field(default_factory=asyncio.Event)
    deliver: asyncio.Event = field(default_factory=asyncio.Event)
    trial: asyncio.Event = field(default_factory=asyncio.Event)
    test: asyncio.Event = field(default_factory=asyncio.Event)
    replay: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    config: Config
    database: Database
    queue: Queue
    vault: Vault
    parser: Parser
    webhooks: Webhooks
    owner: str
    now: Callable[[], datetime]
    crash: Crash = field(default_factory=Crash)
    bells: Bells = field(default_factory=Bells)
    in_hand: set[int] = field(default_factory=set)  # deliveries that this process sends or has to write down
