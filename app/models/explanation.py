"""A verdict step by step, for a page: of what was stored, and of what was judged a moment ago."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from app.models.message import MessageState
from app.rules.decide import Judgement
from app.rules.verdict import Mark, Reason, Step, Verdict

AFTER_RULES = {"no_rule_matched", "rule_ends_search"}
DEEPEST = 2  # levels of groups that are shown by indenting
MANY = 4  # steps of a rule that did not match; more are folded away

Stored = Mapping[str, Any]  # a step or a reason as it is stored


@dataclass(frozen=True, slots=True)
class Line:
    """One step. `verdict` is what its rule made of the mail, where this is that rule's last word."""

    step: Stored
    number: int
    decides: bool = False
    verdict: str | None = None

    @property
    def depth(self) -> int:
        """How deep in groups of conditions it stands; what stands in none has depth 0."""
        depth: int = self.step["facts"].get("depth", 0)
        return min(depth, DEEPEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """What one rule asked, and its last word."""

    rule: str
    reason: Stored
    lines: Sequence[Line]
    folded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`state` is what became of the mail; lines are numbered through, one of them is the deciding one."""

    state: str
    before: Sequence[Line]
    chapters: Sequence[Chapter]
    after: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one rule said of a mail."""

    rule: str
    verdict: Verdict | None
    reason: Stored
    steps: Sequence[Stored]
    matched: bool


def explain(
    *,
    state: str,
    verdict: Verdict | None,
    reason: Stored | None,
    steps: Iterable[Stored],
    said: Iterable[Said],
) -> Explanation:
    """Put a verdict's steps into the order in which they were taken."""
    told = _Telling(verdict, (reason or {}).get("code"))
    steps = list(steps)
    before = [told.line(step) for step in steps if step["code"] not in AFTER_RULES]
    chapters = [told.chapter(one) for one in said]
    after = [told.line(step) for step in steps if step["code"] in AFTER_RULES]
    set_aside = state == MessageState.QUARANTINED  # perhaps again: its steps are then of an earlier time
    if reason is not None and (set_aside or not (before or chapters or after)):
        after.append(told.line({**reason, "mark": Mark.STOPPED}))
    return Explanation(state=state, before=before, chapters=chapters, after=after)


def explain_judgement(
    judgement: Judgement,
    names: Mapping[int, str],
    *,
    state: str = "",
    refusal: Reason | None = None,
    notes: Iterable[Stored] = (),
) -> Explanation:
    """Explain what was judged; a refusal stands before all that the rules say, and decides."""
    refused = [Step(refusal, Mark.STOPPED).to_json()] if refusal else []
    said = [
        Said(
            rule=names[outcome.rule_id],
            verdict=outcome.verdict,
            reason=outcome.reason.to_json(),
            steps=[step.to_json() for step in outcome.steps],
            matched=outcome.matched,
        )
        for outcome in judgement.outcomes
    ]
    return explain(
        state=state or judgement.verdict.value,
        verdict=None if refusal else judgement.verdict,
        reason=(refusal or judgement.reason).to_json(),
        steps=[*refused, *notes, *(step.to_json() for step in judgement.steps)],
        said=said,
    )


@dataclass(slots=True)
class _Telling:
    """Numbers the lines and marks the first that gave the verdict."""

    verdict: Verdict | None
    code: str | None
    decided: bool = False
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def line(self, step: Stored, *, by: Said | None = None) -> Line:
        """Give the next line: of a rule, or of what is asked before and after all rules."""
        stops = step["mark"] == Mark.STOPPED
        its_own = by is None or (by.verdict is not None and by.verdict == self.verdict)
        decides = stops and its_own and not self.decided and step["code"] == self.code
        self.decided = self.decided or decides
        verdict = str(by.verdict) if stops and by is not None and by.verdict else None
        return Line(step, next(self.numbers), decides, verdict)

    def chapter(self, said: Said) -> Chapter:
        lines = [self.line(step, by=said) for step in said.steps]
        folded = not said.matched and len(lines) > MANY
        return Chapter(rule=said.rule, reason=said.reason, lines=lines, folded=folded)
