"""One mail as the rules see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Text only: headers decoded, HTML already turned into what a reader sees.

    `recipients` are bare lower-case addresses; `headers` has lower-case names; `mailbox` is its name.
    """

    subject: str
    sender: str
    text: str
    source_text: str
    size: int
    arrived_at: datetime
    attachments: int
    text_cut: bool
    recipients: tuple[str, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mailbox: str = ""
