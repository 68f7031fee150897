"""The detectors by the name under which rules ask for them."""

from collections.abc import Callable

from app.rules import desabo, recadrage
from app.rules.finding import Finding
from app.rules.reading import Reading
from app.rules.rule import DESABO, RECADRAGE, Rule


def detect(name: str, reading: Reading, rule: Rule) -> Finding:
    return _DETECTORS[name](reading, rule)


_DETECTORS: dict[str, Callable[[Reading, Rule], Finding]] = {
    RECADRAGE: recadrage.detect,
    DESABO: desabo.detect,
}
