"""What every request is given: put together by `main`, completed by the gate."""

from asyncio import Semaphore
from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

from jinja2 import Environment
from starlette.requests import Request as AnyRequest

from app.config import Config
from app.jobs.queue import Queue
from app.models import Database, Session
from app.vault import Vault
from app.web.live import Live


class State(TypedDict):
    config: Config
    database: Database
    queue: Queue
    vault: Vault
    live: Live
    now: Callable[[], datetime]
    templates: Environment
    long_counts: Semaphore  # of whole tables, one at a time: those who open other pages wait for none
    handed_in: Semaphore  # mails in the lab, two read at a time: each reader takes up to 256 MB
    session: Session | None  # who is signed in, as the gate found it


Request = AnyRequest[State]
