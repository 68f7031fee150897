"""A real IMAP server on loopback: pymap, embedded. Its one mailbox is empty at each start."""

import asyncio
import socket
from argparse import Namespace
from collections import deque
from datetime import datetime
from types import TracebackType
from typing import Any, Self, cast

from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import DictBackend
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.selected import SelectedMailbox
from pysasl.hashing import BuiltinHash

KEPT = 50  # mails; older ones are removed, so that a demo may run for weeks


class ImapServer:
    """`async with ImapServer(listener, "demo", password) as server: await server.deliver(raw, now)`."""

    def __init__(self, listener: socket.socket, username: str, password: str) -> None:
        self._listener = listener
        self._username = username
        self._password = password
        self._connections: set[asyncio.Task[None]] = set()
        self._uids: deque[int] = deque()

    async def __aenter__(self) -> Self:
        # The password is long and random: one round hides it well enough, and a login costs nothing.
        backend, config = await DictBackend.init(
            _arguments(self._username, self._password),
            hash_context=BuiltinHash(rounds=1),
            cpu_subsystem=Subsystem.for_asyncio(),
        )
        config.apply_context()
        self._folders = _Folders()
        config.set_cache[self._username] = (self._folders, FilterSet())
        self._imap = IMAPServer(backend.login, config)
        self._server = await asyncio.start_server(self._connected, sock=self._listener)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def deliver(self, raw: bytes, at: datetime) -> int:
        """Put a new, unread mail into the inbox; gives its UID."""
        inbox = await self._folders.get_mailbox("INBOX")
        uid = (await inbox.append(AppendMessage(raw, at, frozenset()))).uid
        self._uids.append(uid)
        if len(self._uids) > KEPT:
            await inbox.delete([self._uids.popleft()])
        return uid

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Straight to the server: pymap's own reader keeps no reference to a connection's task, which may
        # then be collected while it waits.
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections.add(task)
        try:
            await self._imap(reader, cast("asyncio.StreamWriter", _Whole(writer)), SocketInfoLocal(writer))
        finally:
            self._connections.discard(task)


class _Whole:
    """Sends an answer in one piece; pymap writes it in dozens, over which waiting clients stumble."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a writer has
        return getattr(self._writer, name)

    def write(self, data: bytes) -> None:
        self._pieces.append(bytes(data))

    def writelines(self, pieces: list[bytes]) -> None:
        self._pieces.extend(map(bytes, pieces))

    async def drain(self) -> None:
        self._flush()
        await self._writer.drain()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write(b"".join(self._pieces))
        self._pieces.clear()


class _Inbox(MailboxData):
    async def claim_recent(self, selected: SelectedMailbox) -> None:
        """Claim nothing: no mail here is recent, and pymap would remember each asking for ever."""


class _Folders(MailboxSet):
    def __init__(self) -> None:
        super().__init__()
        self._inbox = _Inbox(self._content_cache, self._thread_cache)


def _arguments(username: str, password: str) -> Namespace:
    return Namespace(
        host=None,
        port=0,
        debug=False,
        tls=False,
        cert=None,
        key=None,
        insecure_login=True,
        passlib_cfg=None,
        proxy_protocol=None,
        demo_data=False,
        demo_user=username,
        demo_password=password,
    )
