"""What a run came to: what was lost, what came twice, how long it took."""

import json
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tests.chaos.receiver import PATHS, Taken

MOST_DUPLICATES = 0.03  # of all deliveries,
MANY = 5000  # where there are so many that one unlucky kill does not make the share


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The line that is printed. Seconds from the mailbox to the first yes; `rss` is the peak in MB."""

    seed: int
    mails: int
    deliveries: int
    lost: int
    duplicates: int
    kills: int
    p50: float | None
    p99: float | None
    rss: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Figures, and whatever is wrong, in words."""

    figures: Figures
    lost: Sequence[tuple[int, str]]
    kills: Mapping[str, int]
    in_flight: int
    unexplained: int  # came twice, though no worker died while sending it
    faults: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        return json.dumps(asdict(self.figures))

    def wrong(self) -> Iterator[str]:
        """Everything that must not be."""
        figures = self.figures
        if figures.lost:
            yield f"{figures.lost} lost"
        if figures.duplicates > self.in_flight:
            yield f"{figures.duplicates} came twice, {self.in_flight} were in flight at the kills"
        if figures.deliveries >= MANY and figures.duplicates > MOST_DUPLICATES * figures.deliveries:
            yield f"{figures.duplicates} came twice, of {figures.deliveries}"
        yield from self.faults


def judge(
    brought: Mapping[int, float],
    accepted: Mapping[tuple[int, str], Sequence[Taken]],
    *,
    seed: int,
    kills: Mapping[str, int],
    in_flight: Sequence[str],
    rss: int,
    faults: list[str],
) -> Outcome:
    owed = [(lot, path) for lot in brought for path in PATHS]
    lost = [pair for pair in owed if pair not in accepted]
    waits = [accepted[pair][0].at - brought[pair[0]] for pair in owed if pair in accepted]
    again = Counter(taken.webhook_id for every in accepted.values() for taken in every[1:])
    figures = Figures(
        seed=seed,
        mails=len(brought),
        deliveries=len(owed),
        lost=len(lost),
        duplicates=again.total(),
        kills=sum(kills.values()),
        p50=_percentile(waits, 50),
        p99=_percentile(waits, 99),
        rss=rss,
    )
    return Outcome(
        figures=figures,
        lost=lost,
        kills=kills,
        in_flight=len(in_flight),
        unexplained=(again - Counter(in_flight)).total(),
        faults=faults,
    )


def _percentile(waits: Sequence[float], percent: int) -> float | None:
    if len(waits) < 2:
        return None
    return round(statistics.quantiles(waits, n=100, method="inclusive")[percent - 1], 2)
