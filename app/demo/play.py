"""Puts the demo together: its servers first, then its rows, then a mail every 20 seconds."""

import asyncio
import signal
import socket
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from zoneinfo import ZoneInfo

import structlog

from app.clock import now
from app.config import Config
from app.demo.imap_server import ImapServer
from app.demo.receiver import Receiver
from app.demo.rows import USERNAME, look, secrets_of_receiver, write
from app.demo.samples import samples
from app.demo_ports import HOST, Ports, ports
from app.integrations.network import Gate
from app.jobs.owner import registered
from app.models import Database
from app.ready import beat
from app.vault import Vault

EVERY = 20.0  # seconds between two mails

log = structlog.get_logger()


def play(config: Config) -> None:
    asyncio.run(_play(config))


async def _play(config: Config) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with AsyncExitStack() as stack:
        database, vault = Database(config.database), Vault(config.secret_key())
        stack.push_async_callback(database.aclose)
        zone, password = await look(database, vault)
        places = ports(config.data_dir)
        _advise(config, places)
        mailbox = ImapServer(_listen(places.imap), USERNAME, password)
        await stack.enter_async_context(mailbox)
        receiver = Receiver(lambda: secrets_of_receiver(database, vault, now()), zone, now)
        await stack.enter_async_context(receiver.serving(_listen(places.receiver)))
        await write(database, vault, places=places, password=password, now=now())
        await stack.enter_async_context(_on_duty(config, database))
        log.info("demo ready", receiver=f"http://{HOST}:{places.receiver}/", mailbox=f"{HOST}:{places.imap}")
        async with asyncio.TaskGroup() as group:
            playing = [group.create_task(work) for work in (_send_samples(mailbox, zone), beat())]
            await stopping.wait()
            for task in playing:
                task.cancel()


def _advise(config: Config, places: Ports) -> None:
    """Say what is missing when no supervisor has opened the way to the receiver."""
    if not Gate.of(config).allows(HOST, places.receiver):
        log.warning("the worker may not reach the demo's receiver", allow=places.allowance)


def _listen(port: int) -> socket.socket:
    return socket.create_server((HOST, port))


def _on_duty(config: Config, database: Database) -> AbstractAsyncContextManager[str]:
    restarts, last_exit = config.signal_restarts, config.signal_last_exit
    return registered(database, role="demo", now=now, restarts=restarts, last_exit=last_exit)


async def _send_samples(mailbox: ImapServer, zone: ZoneInfo) -> None:
    for sample in samples(now()):
        await mailbox.deliver(sample.written(now().astimezone(zone)), now())
        log.info("demo mail sent", sample=sample.name, expect=sample.promise)
        await asyncio.sleep(EVERY)
