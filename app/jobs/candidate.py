"""A listed UID with whatever could be had of it, on its way to the ledger."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from app.integrations.imap_answer import Listed
from app.models import FirstContact, Mailbox
from app.rules import identity
from app.rules.sender import is_listed
from app.rules.verdict import Reason

MEGABYTE = 1024 * 1024
HARD_LIMIT = 30  # MB: no larger mail is fetched, whatever the setting says


def size_limit(megabytes: int | None) -> int:
    """Give the largest mail that is fetched, in bytes, for what is set."""
    return min(megabytes or HARD_LIMIT, HARD_LIMIT) * MEGABYTE


def turned_away(sender: str, size: int, *, senders: Collection[str], limit: int) -> Reason | None:
    """Say why a mailbox that listens to these senders, up to this size, does not take a mail in (D4, D6)."""
    if not is_listed(sender, senders):
        return Reason("sender_not_listed", {"sender": sender})
    if size > limit:
        return Reason("too_large", {"size": size, "limit": limit})
    return None


@dataclass(frozen=True, slots=True)
class Start:
    """What counts at first contact with a folder (D34)."""

    settled: bool
    baseline: int
    first_contact: FirstContact
    since: datetime | None

    def refusal(self, item: Listed) -> Reason | None:
        """Say why this mail is from before the start, if it is; once the folder is settled, none is."""
        if self.settled or item.uid > self.baseline:
            return None
        if self.first_contact is FirstContact.UNSEEN:
            return Reason("read_before") if item.seen else None
        return Reason("before_start") if self.since is None or item.internal_at < self.since else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where mails go: the folder as it is now, and what counts in it. `first`: the lowest UID looked at."""

    folder_id: int
    uidvalidity: int
    first: int
    mailbox: Mailbox
    start: Start
    limit_mb: int | None

    @property
    def limit(self) -> int:
        """The largest mail that is fetched, in bytes."""
        return size_limit(self.limit_mb)


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
    insisted: bool = False  # somebody wants it whatever its size
    failure: str = ""  # the server failed to give it, for this reason
    unreadable: bool = False  # its headers broke the parser

    @cached_property
    def digest(self) -> str | None:
        if self.body is None:
            return None
        # without a Message-ID, date and subject tell whether two mails of the same words are two
        return identity.digest(
            self.header or f"{self.date_header}|{self.subject}", self.sender_header, self.body
        )
