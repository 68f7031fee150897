"""The demo's mailbox, read by our own client."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

import pytest

from app.demo.imap_server import KEPT, ImapServer
from app.demo.samples import ROUND, samples
from app.demo_ports import HOST
from app.integrations.errors import Failure, IntegrationError
from app.integrations.imap import Account, Imap

NOW = datetime(2026, 11, 22, 13, 12, tzinfo=UTC)
MAIL = b"Subject: one\r\n\r\nmail\r\n"


@asynccontextmanager
async def a_mailbox() -> AsyncIterator[tuple[ImapServer, Account]]:
    listener = socket.create_server((HOST, 0))
    account = Account(
        host=HOST,
        port=listener.getsockname()[1],
        tls=False,
        username="demo",
        password="a password",
        timeout=5,
    )
    async with ImapServer(listener, account.username, account.password) as server:
        yield server, account


async def test_our_client_reads_the_mailbox_as_any_other() -> None:
    raws = [sample.written(NOW) for sample in islice(samples(NOW), len(ROUND))]
    async with a_mailbox() as (server, account), Imap(account) as imap:
        uids = [await server.deliver(raw, NOW) for raw in raws]

        status = await imap.select("INBOX")
        listed = await imap.listing(1)
        assert [(item.uid, item.size, item.internal_at, item.seen) for item in listed] == [
            (uid, len(raw), NOW, False) for uid, raw in zip(uids, raws, strict=True)
        ]
        assert status.uidnext == uids[-1] + 1
        assert await imap.bodies(uids) == dict(zip(uids, raws, strict=True))
        heads = await imap.headers(uids)
        assert all(raw.startswith(heads[uid]) for uid, raw in zip(uids, raws, strict=True))
        assert not any(item.seen for item in await imap.listing(1)), "reading marks nothing"

        await imap.mark_seen(uids[:1])
        assert [item.seen for item in await imap.listing(1)] == [True, *[False] * (len(uids) - 1)]


async def test_a_mailbox_started_again_is_empty_and_says_so() -> None:
    validities = set()
    for _ in range(2):
        async with a_mailbox() as (server, account), Imap(account) as imap:
            status = await imap.select("INBOX")
            assert status.exists == 0
            validities.add(status.uidvalidity)
            await server.deliver(MAIL, NOW)
    assert len(validities) == 2


async def test_a_wrong_password_is_refused() -> None:
    async with a_mailbox() as (_, account):
        stranger = replace(account, password="another")
        with pytest.raises(IntegrationError) as refused:
            async with Imap(stranger):
                pass
    assert refused.value.reason is Failure.AUTH_FAILED


async def test_old_mails_are_removed() -> None:
    async with a_mailbox() as (server, account), Imap(account) as imap:
        uids = [await server.deliver(MAIL, NOW) for _ in range(KEPT + 3)]
        await imap.select("INBOX")
        assert [item.uid for item in await imap.listing(1)] == uids[3:]


async def test_the_mailbox_stops_while_somebody_is_connected() -> None:
    async with a_mailbox() as (_, account):
        reader, writer = await asyncio.open_connection(HOST, account.port)
        assert (await reader.readline()).startswith(b"* OK")
    assert b"BYE" in await reader.read()
    writer.close()
