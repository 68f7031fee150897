"""The sample mails, in the order in which they arrive, and what the rules make of each."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import count

from app.demo import letters
from app.demo.letters import Occasion

STUMBLES_OVER = letters.LARGE_FILES  # words in a subject: the receiver refuses the first try
LOTS = 10  # numbers that one round may use


class Promise(StrEnum):
    """What becomes of a mail while the demo's settings are as they were made."""

    DELIVERED = "delivered"
    HELD = "held"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One mail to come. Samples with the same `lot` in a round are about the same one."""

    name: str
    promise: Promise
    letter: Callable[[Occasion], bytes]
    lot: int = 0
    once: bool = False  # in the first round only

    def written(self, at: datetime) -> bytes:
        """The raw mail as of `at`, a moment in the operator's zone; new each time."""
        return self.letter(Occasion(at=at, lot=self.lot, token=secrets.token_hex(10)))


ROUND = (
    Sample(name="recadrage", promise=Promise.DELIVERED, letter=letters.mission),
    Sample(name="offer of the day", promise=Promise.DELIVERED, letter=letters.offer),
    Sample(name="newsletter", promise=Promise.IGNORED, letter=letters.newsletter),
    Sample(name="link", promise=Promise.DELIVERED, letter=letters.rushes),
    Sample(name="reply", promise=Promise.IGNORED, letter=letters.reply),
    Sample(name="same lot again", promise=Promise.DUPLICATE, letter=letters.reminder),
    Sample(name="urgent offer", promise=Promise.HELD, letter=letters.urgent_offer),
    Sample(name="refused once", promise=Promise.DELIVERED, letter=letters.large_files),
    Sample(name="unreadable", promise=Promise.QUARANTINED, letter=letters.price_list, once=True),
    Sample(name="unknown charset", promise=Promise.DELIVERED, letter=letters.unknown_charset, lot=1),
    Sample(name="bare 8-bit headers", promise=Promise.DELIVERED, letter=letters.bare_headers, lot=2),
    Sample(name="urgent recadrage", promise=Promise.DELIVERED, letter=letters.urgent_mission, lot=3),
)


def samples(start: datetime) -> Iterator[Sample]:
    """Every mail from `start` on, without end. Lots begin where no earlier start can have come to."""
    first_lot = 100_000 + int(start.timestamp()) % 900_000
    for number in count():
        for sample in ROUND:
            if number == 0 or not sample.once:
                yield replace(sample, lot=first_lot + LOTS * number + sample.lot)
