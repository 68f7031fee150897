"""One mail as the rules see it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Text only: headers decoded, HTML already turned into what a reader sees."""

    subject: str
    sender: str
    text: str
    source_text: str
    size: int
    arrived_at: datetime
    attachments: int
    text_cut: bool
