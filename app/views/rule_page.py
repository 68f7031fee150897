"""The page on which a rule is written: its form, what it would do, and its versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from app.models import Mailbox, Rule, Run, Setting, rulebook, trial
from app.rules import draft
from app.rules.condition import Condition, Field, Group, Operator
from app.rules.links import PROVIDERS
from app.rules.rule import DESABO, DETECTORS, GATES, RECADRAGE, Priority
from app.rules.rule import Rule as RuleValue
from app.rules.summary import summary
from app.rules.template import NAMES
from app.rules.verdict import Problems
from app.rules.vocabulary import WORDS
from app.views.frame import framed
from app.views.rule_form import written
from app.views.rule_rows import MODES, Row, Rows, rows_of
from app.views.rules import told
from app.web.state import Request

NAMELESS = "…"  # stands for the name of a rule that has none yet

BLANK = RuleValue(
    id=0,
    version_id=0,
    name="",
    conditions=Group(items=(Condition(field=Field.SUBJECT, operator=Operator.CONTAINS),)),
)

# What the form's lists offer, in the words in which verdicts are told.
OFFERED = {
    "fields": [(one.value, WORDS[one]) for one in Field],
    "detectors": [(one, WORDS[one]) for one in DETECTORS],
    "providers": [one.name for one in PROVIDERS],
    "words": WORDS,
    "modes": MODES,
    "gates": GATES,
    "priorities": [one.value for one in Priority],
    "names": NAMES,
    "written": written,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A rule that somebody writes. `based_on` is the number of the version that the form was made from."""

    raw: Mapping[str, Any]
    rule: Rule | None = None
    based_on: int = 0
    problems: Problems = field(default_factory=dict)
    focus: str = ""  # where the reader goes on
    overtaken: bool = False  # somebody saved another version meanwhile


async def raw_of_trial(db: AsyncSession, run_id: int | None) -> dict[str, Any] | None:
    """Give the draft that a trial was made with."""
    run = await Run.find(db, trial.KIND, run_id)
    return dict(run.details["draft"]) if run else None


async def show_form(request: Request, db: AsyncSession, writing: Writing, *, status: int = 200) -> Response:
    """Answer with the page, or with its form alone."""
    raw = {**BLANK.as_draft(), **writing.raw}
    rows, endpoints = rows_of(raw["conditions"]), await rulebook.receivers(db)
    return await framed(
        request,
        db,
        "rules/show.html",
        fragment="form",
        status=status,
        writing=writing,
        rule=writing.rule,
        versions=await rulebook.versions(db, writing.rule) if writing.rule else [],
        raw=raw,
        rows=rows,
        detectors=_detectors(rows),
        problems={place: reason.to_json() for place, reason in writing.problems.items()},
        endpoints=endpoints,
        mailboxes=sorted((await Mailbox.names(db)).values()),
        window=(await Setting.load(db)).as_value().window,
        effect=effect(raw, {one.id or 0: one.name for one in endpoints}),
        offered=OFFERED,
    )


def effect(raw: Mapping[str, Any], names: Mapping[int, str]) -> dict[str, Any]:
    """Say what the rule would do, or what it still lacks."""
    value, problems = draft.read({**raw, "name": raw["name"].strip() or NAMELESS}, endpoints=names)
    lacking = list({reason.code: reason for reason in problems.values()}.values())
    return {"said": told(summary(value, names)) if value else [], "lacking": told(lacking)}


def _detectors(rows: Rows) -> dict[str, bool]:
    """Say which detectors' words the form shows."""
    asked = {value for row in _flat(rows) if row.field == Field.DETECTOR for value in row.values}
    return {"subject_terms": RECADRAGE in asked, "forbidden_terms": DESABO in asked}


def _flat(rows: Rows) -> Iterator[Row]:
    for member in rows.members:
        yield from _flat(member) if isinstance(member, Rows) else (member,)
