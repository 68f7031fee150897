"""A mailbox over IMAP: what is there, its headers and bodies. Never marks a mail by reading it."""

import asyncio
import contextlib
import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from imap_tools import BaseMailBox
from imap_tools.errors import MailboxLoginError, UnexpectedCommandStatusError
from imap_tools.utils import check_command_status

from app.integrations.errors import Failure, IntegrationError
from app.integrations.imap_answer import NO_SIZE, Listed, Piece, listed, texts
from app.integrations.imap_failure import named_failures
from app.integrations.imap_wire import Client, Plug
from app.integrations.resolver import resolve

T = TypeVar("T")

LITERAL_CAP = 32 * 1024 * 1024  # one mail; a longer one is not read, whatever size the server claimed
FETCH_SHARE = 4  # a command that brings mails may take so many times the account's limit
GOODBYE_LIMIT = 2.0
SET_LENGTH = 500  # UIDs in one command: servers refuse lines above 8 kB
_LISTING = "(UID RFC822.SIZE INTERNALDATE FLAGS)"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where a mailbox is and who asks. `timeout`: seconds on the wall for one short command."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """What SELECT says of a folder."""

    uidvalidity: int
    uidnext: int
    exists: int


class Imap:
    """One connection, on one thread of its own; a call ends within its limit or raises IntegrationError."""

    def __init__(
        self, account: Account, *, literal_cap: int = LITERAL_CAP, context: ssl.SSLContext | None = None
    ) -> None:
        self._account = account
        self._literal_cap = literal_cap
        self._context = context
        self._plug = Plug()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
        self._mailbox: _Mailbox | None = None

    async def __aenter__(self) -> Self:
        try:
            addresses = await resolve(self._account.host)
            await self._call(lambda: self._open(addresses))
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            if failed is None:  # else the server may be in the middle of an answer
                with contextlib.suppress(IntegrationError):  # a goodbye that is not answered changes nothing
                    await self._call(self._log_out, GOODBYE_LIMIT)
        finally:
            self._close()

    async def select(self, folder: str) -> FolderStatus:
        return await self._call(lambda: self._select(folder))

    async def listing(self, first_uid: int) -> list[Listed]:
        """Every message from `first_uid` on, with its size and date, in the order of UIDs."""
        found = await self._call_long(lambda: listed(self._fetch(f"{first_uid}:*", _LISTING), first_uid))
        vague = [item.uid for item in found if item.size == NO_SIZE]
        if not vague:
            return found
        # a volunteered line, or a server that forgot: those are asked for once more, by their numbers
        again = await self._call_long(
            lambda: [
                item
                for uid_set, _ in _sets(vague)
                for item in listed(self._fetch(uid_set, _LISTING), first_uid)
            ]
        )
        told = {item.uid: replace(item, size=max(item.size, 0)) for item in again}
        return [told.get(item.uid, item) for item in found if item.size != NO_SIZE or item.uid in told]

    async def headers(self, uids: Sequence[int]) -> dict[int, bytes]:
        """Header blocks by UID; what the server does not have is left out."""
        return await self._call_long(lambda: self._texts(uids, "BODY.PEEK[HEADER]", b"BODY[HEADER]"))

    async def bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        """Raw mails by UID; what the server does not have is left out."""
        return await self._call_long(lambda: self._texts(uids, "BODY.PEEK[]", b"BODY[]"))

    async def mark_seen(self, uids: Sequence[int]) -> None:
        await self._call(lambda: self._mark_seen(uids))

    async def _call_long(self, work: Callable[[], T]) -> T:
        return await self._call(work, FETCH_SHARE * self._account.timeout)

    async def _call(self, work: Callable[[], T], limit: float | None = None) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._thread, _named, work)
        try:
            async with asyncio.timeout(limit or self._account.timeout):
                return await running
        except TimeoutError as error:
            raise IntegrationError(Failure.TIMED_OUT) from error
        finally:
            if running.cancelled():  # by the limit or by our caller: the thread must not go on waiting
                self._plug.pull()

    def _close(self) -> None:
        self._plug.pull()
        if self._mailbox is not None:
            self._thread.submit(self._mailbox.wire.shutdown)
        self._thread.shutdown(wait=False)

    def _open(self, addresses: Sequence[str]) -> None:
        account = self._account
        _refuse_control(Failure.AUTH_FAILED, account.username, account.password)
        wire = Client(
            host=account.host,
            addresses=addresses,
            port=account.port,
            context=(self._context or ssl.create_default_context()) if account.tls else None,
            timeout=account.timeout,
            literal_cap=self._literal_cap,
            plug=self._plug,
        )
        self._mailbox = _Mailbox(wire)
        try:
            self._mailbox.enter(account)
        except BaseException:  # nobody else will close it, if we were given up in the meantime
            with contextlib.suppress(OSError):
                wire.shutdown()
            raise

    def _select(self, folder: str) -> FolderStatus:
        _refuse_control(Failure.FOLDER_MISSING, folder)
        mailbox = self._begin()
        try:
            mailbox.folder.set(folder)
        except imaplib.IMAP4.readonly:  # a shared folder that we may only read is worth reading
            mailbox.folder.set(folder, readonly=True)
        validity, following, exists = (
            mailbox.wire.told(name) for name in ("UIDVALIDITY", "UIDNEXT", "EXISTS")
        )
        if validity is None:
            raise IntegrationError(Failure.PROTOCOL_ERROR, "the server names no UIDVALIDITY")
        if following is None:  # older servers say it only when asked
            following = mailbox.folder.status(folder, ["UIDNEXT"])["UIDNEXT"]
        return FolderStatus(validity, following, exists or 0)

    def _texts(self, uids: Sequence[int], ask: str, section: bytes) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for uid_set, wanted in _sets(uids):
            found |= texts(self._fetch(uid_set, f"(UID {ask})"), section, wanted)
        return found

    def _fetch(self, uid_set: str, ask: str) -> list[Piece]:
        result = self._begin().wire.uid("FETCH", uid_set, ask)
        check_command_status(result, UnexpectedCommandStatusError)
        return result[1]

    def _mark_seen(self, uids: Sequence[int]) -> None:
        # Not MailBox.flag(): it expunges, which deletes what somebody else has marked as deleted.
        for uid_set, _ in _sets(uids):
            result = self._begin().wire.uid("STORE", uid_set, "+FLAGS.SILENT", r"(\Seen)")
            check_command_status(result, UnexpectedCommandStatusError)

    def _log_out(self) -> None:
        self._begin().wire.logout()

    def _begin(self) -> "_Mailbox":
        if self._mailbox is None:
            raise IntegrationError(Failure.CONNECTION_LOST, "not connected")
        self._mailbox.wire.begin()
        return self._mailbox


class _Mailbox(BaseMailBox):
    """imap-tools over our limited client."""

    def __init__(self, wire: Client) -> None:
        self.wire = wire
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self.wire

    def enter(self, account: Account) -> None:
        if (account.username + account.password).isascii():
            self.login(account.username, account.password, initial_folder=None)
            return
        try:  # LOGIN speaks ASCII only
            self.login_utf8(account.username, account.password, initial_folder=None)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:  # imaplib's word for NO
            raise MailboxLoginError(("NO", [str(error).encode()]), "OK") from error


def _named(work: Callable[[], T]) -> T:
    with named_failures():
        return work()


def _refuse_control(reason: Failure, *texts_sent: str) -> None:
    """A line break in a name would be a second command."""
    if any(_CONTROL.search(text) for text in texts_sent):
        raise IntegrationError(reason, "control characters are not allowed", permanent=True)


def _sets(uids: Sequence[int]) -> Iterator[tuple[str, frozenset[int]]]:
    ordered = sorted(set(uids))
    for start in range(0, len(ordered), SET_LENGTH):
        part = ordered[start : start + SET_LENGTH]
        yield ",".join(map(str, part)), frozenset(part)
