"""The detectors by the name under which rules ask for them."""

from collections.abc import Callable

from app.rules import desabo, recadrage
from app.rules.finding import Finding
from app.rules.reading import Reading
from app.rules.rule import DESABO, LINKS, RECADRAGE, Rule


def detect(reading: Reading, rule: Rule) -> Finding:
    return _DETECTORS[rule.detector](reading, rule)


def _links(reading: Reading, rule: Rule) -> Finding:
    """Any mail with a delivery link; any mail at all when the rule needs none."""
    return Finding(missing=() if reading.deliveries or not rule.links_required else ("delivery_link",))


_DETECTORS: dict[str, Callable[[Reading, Rule], Finding]] = {
    RECADRAGE: recadrage.detect,
    DESABO: desabo.detect,
    LINKS: _links,
}
