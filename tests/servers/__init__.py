"""Real neighbours for tests: each starts a server of its own on loopback and stops it."""

from tests.servers.dovecot import Dovecot
from tests.servers.fake_imap import FakeImap
from tests.servers.mail_host import MailHost
from tests.servers.port import free_port
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis
from tests.servers.sink import Answer, Seen, Sink
from tests.servers.waiting import eventually, eventually_async

__all__ = [
    "Answer",
    "Dovecot",
    "FakeImap",
    "MailHost",
    "Postgres",
    "Redis",
    "Seen",
    "Sink",
    "eventually",
    "eventually_async",
    "free_port",
]
