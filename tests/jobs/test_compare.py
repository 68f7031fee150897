"""What a trial calls a change: whatever a receiver would notice, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from app.jobs.compare import compare
from app.models import Change
from app.rules.decide import Judgement, decide
from app.rules.rule import Priority, Rule
from app.rules.settings import Settings
from app.rules.verdict import Verdict
from tests.rules.cast import MONDAY, RECADRAGE, a_mail, paris

CUSTOM = replace(RECADRAGE, template='{"about": "{{subject}}"}')
LIVE = decide(mail=a_mail(), rules=[RECADRAGE], settings=Settings(), marks={}, now=MONDAY)
LATER = paris("2025-10-14 09:00")


def judged(**outcome: Any) -> Judgement:  # noqa: ANN401 - fields of an outcome
    """The same judgement, but for these fields of what its rule says."""
    return replace(LIVE, outcomes=(replace(LIVE.outcomes[0], **outcome),))


def change(draft: Judgement, *, live_rule: Rule = RECADRAGE, draft_rule: Rule = RECADRAGE) -> Change:
    return compare(LIVE, [live_rule], draft, [draft_rule])


@pytest.mark.parametrize(
    "outcome",
    [
        {"verdict": Verdict.HOLD},
        {"priority": Priority.HIGH},
        {"detector": None},
        {"delivery_time": "17h00"},
        {"urgent": True},
        {"window_start_text": "9h00"},
        {"window_end_text": "19h00"},
        {"release_at": LATER},
        {"expires_at": LATER},
    ],
    ids=lambda outcome: next(iter(outcome)),
)
def test_what_a_receiver_would_notice_is_a_change(outcome: dict[str, Any]) -> None:
    assert change(judged(**outcome)) is Change.CHANGED


@pytest.mark.parametrize("fields", [{"endpoint_ids": (7, 8)}, {"template": CUSTOM.template}])
def test_other_receivers_or_another_body_are_a_change(fields: dict[str, Any]) -> None:
    assert change(LIVE, draft_rule=replace(RECADRAGE, **fields)) is Change.CHANGED


def test_what_patterns_caught_counts_where_a_template_may_say_it() -> None:
    caught = judged(captures={"lot": "42"})
    assert change(caught) is Change.UNCHANGED
    assert change(caught, live_rule=CUSTOM, draft_rule=CUSTOM) is Change.CHANGED


def test_the_order_of_receivers_and_the_rules_own_name_are_no_change() -> None:
    live, draft = (replace(RECADRAGE, endpoint_ids=ids, name=str(ids)) for ids in ((7, 8), (8, 7)))
    assert change(LIVE, live_rule=live, draft_rule=draft) is Change.UNCHANGED
