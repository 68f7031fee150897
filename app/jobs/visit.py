"""One poll of one folder, whose lease is ours: the line to the server, and a new one when that breaks."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from app.integrations.errors import Failure, IntegrationError
from app.integrations.imap import Account, FolderStatus, Imap
from app.jobs.context import Context
from app.jobs.progress import Progress
from app.models import Mailbox
from app.vault import Sealed

LIMIT = 20.0  # seconds for a short command; one that brings mails may take longer (integrations.imap)


class Visit:
    """`async with Visit(...) as visit:` is connected, with the folder selected: `imap`, `status`.

    Raises:
        IntegrationError: the server is away, or does not let us in.
    """

    def __init__(
        self, context: Context, mailbox: Mailbox, progress: Progress, *, folder_id: int, folder: str
    ) -> None:
        self.context, self.mailbox, self.progress = context, mailbox, progress
        self.folder_id, self._folder = folder_id, folder
        self._stack = AsyncExitStack()
        self.imap: Imap
        self.status: FolderStatus

    async def __aenter__(self) -> Self:
        try:
            await self._connect()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def reconnect(self) -> None:
        """Take a new line after a command that failed, and make sure that it leads to the same folder."""
        before = self.status.uidvalidity
        await self._stack.aclose()
        await self._connect()
        if self.status.uidvalidity != before:
            raise IntegrationError(Failure.CONNECTION_LOST, "the folder was renumbered meanwhile")

    async def _connect(self) -> None:
        self.imap = await self._stack.enter_async_context(Imap(self._account()))
        self.status = await self.imap.select(self._folder)

    def _account(self) -> Account:
        mailbox = self.mailbox
        try:
            password = self.context.vault.open(mailbox.password)
        except Sealed:
            raise IntegrationError(Failure.SECRET_UNREADABLE) from None
        return Account(
            host=mailbox.host,
            port=mailbox.port,
            tls=mailbox.tls,
            username=mailbox.username,
            password=password,
            timeout=LIMIT,
        )
