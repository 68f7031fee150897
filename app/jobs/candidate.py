"""A listed UID with whatever could be had of it, on its way to the ledger."""

from dataclasses import dataclass
from functools import cached_property

from app.integrations.imap_answer import Listed
from app.models import Mailbox
from app.rules import identity
from app.rules.verdict import Reason

MEGABYTE = 1024 * 1024
HARD_LIMIT = 30  # MB: no larger mail is fetched, whatever the setting says


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a batch goes."""

    folder_id: int
    uidvalidity: int
    mailbox: Mailbox
    limit_mb: int | None

    @property
    def limit(self) -> int:
        """The largest mail that is fetched, in bytes."""
        return min(self.limit_mb or HARD_LIMIT, HARD_LIMIT) * MEGABYTE


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A listed UID with whatever could be had of it. `message_id`: its row, when it was met before."""

    item: Listed
    message_id: int | None = None
    occurrence: int = 0
    header: str = ""
    subject: str = ""
    sender_header: str = ""
    sender: str = ""
    date_header: str = ""
    email_id: str = ""
    fingerprint: str = ""
    refusal: Reason | None = None
    body: bytes | None = None
    vanished: bool = False
    unreadable: bool = False  # its headers broke the parser

    @cached_property
    def digest(self) -> str | None:
        if self.body is None:
            return None
        # without a Message-ID two mails of the same words may still be two mails: their dates and subjects tell
        return identity.digest(
            self.header or f"{self.date_header}|{self.subject}", self.sender_header, self.body
        )
