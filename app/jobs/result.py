"""What came of one request."""

from dataclasses import dataclass
from datetime import datetime

from app.integrations.errors import IntegrationError
from app.integrations.webhook import Answer
from app.jobs.claim import Claimed

_ITS_OWN = ("send", "wait", "read")  # the stretches that a receiver has to answer for


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One attempt, ended: an answer, or a failure with its name; neither, if the error was ours."""

    claimed: Claimed
    ended_at: datetime
    request_headers: dict[str, str]
    answer: Answer | None = None
    failure: IntegrationError | None = None
    busy: bool = False  # whether no place was free when it began

    @property
    def retry_after(self) -> str | None:
        return self.answer.headers.get("retry-after") if self.answer else None

    @property
    def took(self) -> float | None:
        """How long the receiver took to answer, in milliseconds."""
        if self.answer is None:
            return None
        return sum(self.answer.timings.get(stretch, 0.0) for stretch in _ITS_OWN)
