"""What came of one request."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from app.integrations.errors import IntegrationError
from app.integrations.webhook import Answer
from app.jobs.claim import Claimed
from app.jobs.request import Exchange

_ITS_OWN = ("send", "wait", "read")  # the stretches that a receiver has to answer for


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One attempt, ended: with an answer, or a failure with its name; with neither, if the error was ours."""

    claimed: Claimed
    ended_at: datetime
    exchange: Exchange = field(default_factory=Exchange)
    busy: bool = False  # whether no place was free when it began

    @property
    def answer(self) -> Answer | None:
        return self.exchange.answer

    @property
    def failure(self) -> IntegrationError | None:
        return self.exchange.failure

    @property
    def took(self) -> float | None:
        """How long the receiver took to answer, in milliseconds."""
        if self.answer is None:
            return None
        return sum(self.answer.timings.get(stretch, 0.0) for stretch in _ITS_OWN)

    def bare(self) -> "Result":
        """Give the least that must be written: whether it arrived. The rest may be what cannot be."""
        answer = self.answer
        if answer is not None:
            answer = replace(answer, headers={}, body=b"", timings={}, peer="")
        return replace(self, exchange=Exchange(answer=answer))
