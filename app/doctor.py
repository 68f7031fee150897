"""`signal-server doctor`: what the server needs, one line each."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from app.config import Config, FirstRun
from app.embedded import find_program
from app.integrations import smtp
from app.integrations.errors import IntegrationError
from app.integrations.imap import Account, Imap
from app.integrations.network import Gate
from app.integrations.resolver import Resolve, resolve
from app.integrations.trust import Trust
from app.integrations.webhook import Target
from app.jobs.notify import account_of
from app.models import Database, Endpoint, Mailbox
from app.ready import CannotStart
from app.rules.address import PORTS
from app.supervisor.run import answers, require_free
from app.vault import Sealed, Vault

LEAST_FREE_MB = 200
PATIENCE = 10.0  # seconds for one neighbour

FAILURES = (CannotStart, IntegrationError, OSError, Sealed, ValueError, subprocess.SubprocessError)

Look = Callable[[], Awaitable[str]]


def run(config: Config) -> int:
    """Print `ok` or `FAIL` for everything; gives 1 when anything failed."""
    return asyncio.run(_run(config))


async def _run(config: Config) -> int:
    failed = False
    async for name, look in _checks(config):
        try:
            line = f"ok {name}: {await look()}"
        except FAILURES as error:
            failed = True
            line = f"FAIL {name}: {str(error) or type(error).__name__}"
        print(line)
    return 1 if failed else 0


async def _checks(config: Config) -> AsyncIterator[tuple[str, Look]]:
    """Name what there is to look at: this machine, then the neighbours that are connected."""
    yield "python", _python
    yield "sqlite", _sqlite
    yield "redis", partial(_redis, config)
    yield "port", partial(_port, config)
    yield "data directory", partial(_data_directory, config)
    if config.smtp_host:
        yield f"mail server {config.smtp_host}", partial(_mail_server, config)
    mailboxes, receivers = await _connected(config)
    for mailbox in mailboxes:
        yield f"mailbox {mailbox.host}", partial(_mailbox, mailbox)
    for receiver in receivers:
        yield f"receiver {receiver.key}", partial(_receiver, config, receiver)


async def _python() -> str:
    return sys.version.split()[0]


async def _sqlite() -> str:
    return sqlite3.sqlite_version  # importing app.models put the right one in place, or refused


async def _redis(config: Config) -> str:
    if config.redis_url:
        parts = urlsplit(config.redis_url)
        if parts.scheme == "unix":
            await _reach(asyncio.open_unix_connection(parts.path))
            return f"{parts.path} accepts connections"
        await _reach(asyncio.open_connection(parts.hostname, parts.port or 6379))
        return f"{parts.hostname}:{parts.port or 6379} accepts connections"
    program = find_program()
    said = await asyncio.to_thread(
        subprocess.check_output, [program, "--version"], text=True, timeout=PATIENCE
    )
    return said.strip()


async def _port(config: Config) -> str:
    if await answers(config.host, config.port):
        return f"{config.port} is answered by a running server"
    require_free(config.host, config.port)
    return f"{config.port} is free"


async def _data_directory(config: Config) -> str:
    config.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=config.data_dir) as probe:
        probe.write(b"written")
    free = shutil.disk_usage(config.data_dir).free // 2**20
    if free < LEAST_FREE_MB:
        message = f"only {free} MB free in {config.data_dir}"
        raise CannotStart(message)
    return f"{config.data_dir} can be written, {free} MB free"


async def _connected(config: Config) -> tuple[list[Account], list[Target]]:
    """Take what the database knows, without the demo's; the environment's where it knows none yet."""
    mailboxes, endpoints = await _stored(config)
    first_run, vault = FirstRun.load(), Vault(config.secret_key())
    accounts = [
        Account(
            host=row.host,
            port=row.port,
            tls=row.tls,
            username=row.username,
            password=vault.open(row.password),
        )
        for row in mailboxes
    ]
    if not accounts and first_run.has_mailbox:
        accounts.append(
            Account(
                host=first_run.imap_server,
                port=first_run.imap_port,
                tls=first_run.imap_use_ssl,
                username=first_run.email_address,
                password=first_run.email_password.get_secret_value(),
            )
        )
    receivers = [
        Target(key=row.name, url=row.url, verify=row.verify_tls, authority=row.authority) for row in endpoints
    ]
    if not receivers and first_run.webhook_url:
        verify = first_run.webhook_ssl_verify
        receivers.append(Target(key="WEBHOOK_URL", url=first_run.webhook_url, verify=verify))
    return accounts, receivers


async def _stored(config: Config) -> tuple[list[Mailbox], list[Endpoint]]:
    database = Database(config.database)
    try:
        async with database.reading() as db:
            mailboxes = await db.exec(select(Mailbox).where(col(Mailbox.demo).is_(False), Mailbox.active))
            endpoints = await db.exec(select(Endpoint).where(Endpoint.is_own()))
            return list(mailboxes.all()), list(endpoints.all())
    except SQLAlchemyError:  # not made or not migrated yet: `run` does that
        return [], []
    finally:
        await database.aclose()


async def _mailbox(account: Account) -> str:
    async with asyncio.timeout(PATIENCE), Imap(account) as imap:
        status = await imap.select("INBOX")
    return f"signed in, {status.exists} mails in INBOX"


async def _mail_server(config: Config) -> str:
    await smtp.greet(replace(account_of(config), limit=PATIENCE))
    return "signed in" if config.smtp_username else "takes mail without a sign-in"


async def _receiver(config: Config, receiver: Target, *, resolve: Resolve = resolve) -> str:
    """Connect as a delivery would, through the same gate, and send nothing."""
    gate = Gate.of(config)
    gate.check_url(receiver.url)
    parts = urlsplit(receiver.url)
    secure, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    addresses = await resolve(host)
    for address in addresses:  # one bad answer condemns the name
        gate.judge(address, port, plain=not secure)
    verify = receiver.verify or not config.allow_insecure_tls
    context = Trust().context(verify=verify, authority=receiver.authority) if secure else None
    await _reach(
        asyncio.open_connection(addresses[0], port, ssl=context, server_hostname=host if secure else None)
    )
    return f"{host}:{port} accepts connections"


async def _reach(connecting: Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
    async with asyncio.timeout(PATIENCE):
        _, writer = await connecting
    writer.close()
