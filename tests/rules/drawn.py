"""Rules, mails and settings that hypothesis draws: of any shape, with words that often meet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from app.rules.condition import OPERATORS, Condition, Field, Group, Mode, Operator
from app.rules.links import PROVIDERS
from app.rules.mail import Mail
from app.rules.rule import DETECTORS, Action, Policy, Priority, Rule
from app.rules.settings import DAYS, Settings
from app.rules.text import normalise
from tests.rules.cast import FOLDER, LOT_42, MISSION, MONDAY, OFFER, a_mail, open_from

# Also what no mail should have: half a surrogate pair, controls, marks without a letter.
anything = st.text(st.characters(exclude_categories=()), max_size=20)
_WORDS = (
    "lot",
    "LOT",
    "42",
    "Zoé",
    "zoe\u0301",
    "à",
    "œuvre",
    "ann@example.com",
    "\u00a0",
    "\n",
    "urgence",
    "Re:",
)
some_text = st.lists(st.sampled_from((*_WORDS, LOT_42, MISSION, OFFER, FOLDER)), max_size=5).map(" ".join)
any_text = st.one_of(some_text, anything)
patterns = st.sampled_from(
    (
        r"(?P<word>\w+)",
        r"lot\s(?P<n>\d+)",
        "^$",
        "(?P<who>zoé)",
        "(?i)À|é",
        "[^a-z]+(?P<a>.)?",
        "",
        "(",
        r"\C",
    )
)
names = st.sampled_from(("list-id", "x-spam"))
_VALUES: dict[Field, st.SearchStrategy[str]] = {
    Field.SIZE: st.sampled_from(("0", "0.001", "1", "9999.999")),
    Field.LINK: st.sampled_from([provider.name for provider in PROVIDERS]),
    Field.DETECTOR: st.sampled_from(DETECTORS),
}
_SEVERAL = 3


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """A condition as `draft.read` keeps it, but that its pattern may be none."""
    field = draw(st.sampled_from(Field))
    operator = draw(st.sampled_from(OPERATORS[field]))
    exact = draw(st.booleans())
    texts = _VALUES.get(field, patterns if operator is Operator.MATCHES else st.sampled_from(_WORDS[:7]))
    most = {Operator.PRESENT: 0, Operator.ONE_OF: _SEVERAL}.get(operator, 1)
    values = draw(st.lists(texts, min_size=min(most, 1), max_size=most, unique_by=normalise))
    return Condition(
        field=field,
        operator=operator,
        values=tuple(values),
        header=draw(names) if field is Field.HEADER else "",
        negated=draw(st.booleans()),
        exact=exact,
    )


@st.composite
def groups(draw: st.DrawFn, depth: int = 2) -> Group:
    items = conditions() if depth == 1 else st.one_of(conditions(), groups(depth - 1))
    return Group(
        mode=draw(st.sampled_from(Mode)),
        items=tuple(draw(st.lists(items, min_size=1, max_size=3))),
        negated=draw(st.booleans()),
    )


_by_window = st.sampled_from(Action)
_elsewhere = st.sampled_from((Action.HOLD, Action.DROP))
policies = st.builds(
    Policy, before=_by_window, after=_by_window, absence=_elsewhere, paused=_elsewhere, vacation=_elsewhere
)
spans = st.one_of(st.sampled_from(("none", "month")), st.integers(1, 366).map("days:{}".format))


def rules(**fields: Any) -> st.SearchStrategy[Rule]:  # noqa: ANN401 - strategies
    known: dict[str, Any] = {
        "id": st.integers(1, 9),
        "version_id": st.integers(1, 9),
        "name": st.sampled_from(("Lots", "Offres du jour")),
        "conditions": groups(),
        "links_required": st.booleans(),
        "group": spans,
        "policy": policies,
        "urgent_policy": st.none() | policies,
        "hold_expires": st.sampled_from(("never", "end_of_day")),
        "stop": st.booleans(),
        "priority": st.sampled_from(Priority),
        "offload": st.booleans(),
        "template": st.sampled_from(("", '{"ref": "{{captures.n}}"}')),
        "endpoint_ids": st.lists(st.sampled_from((1, 2, 7)), unique=True).map(tuple),
        "exclude_keywords": st.lists(st.sampled_from(("promo", "Zoé")), unique=True).map(tuple),
    }
    return st.builds(Rule, **(known | fields))


@st.composite
def mails(draw: st.DrawFn) -> Mail:
    texts = st.lists(any_text, max_size=3).map(tuple)
    return replace(
        a_mail(draw(any_text), draw(any_text)),
        source_text=draw(any_text),
        sender=draw(any_text),
        recipients=draw(texts),
        headers=draw(st.dictionaries(names, texts)),
        mailbox=draw(any_text),
        size=draw(st.integers(0, 2**31)),
        arrived_at=MONDAY + timedelta(seconds=draw(st.integers(-(10**8), 10**8))),
        attachments=draw(st.integers(0, 3)),
        text_cut=draw(st.booleans()),
    )


moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@st.composite
def settings_(draw: st.DrawFn) -> Settings:
    zone = draw(st.sampled_from(("Europe/Paris", "America/New_York", "Australia/Lord_Howe")))
    clocks = st.sampled_from(("0h", "9h", "12h30", "23h59"))
    start = draw(moments).date()
    fields: dict[str, Any] = {
        "zone": zone,
        "absence_enabled": draw(st.booleans()),
        "absence_days": draw(st.frozensets(st.sampled_from(DAYS))),
        "sending_enabled": draw(st.booleans()),
        "group_dedup": draw(st.booleans()),
        "exclude_keywords": draw(st.lists(any_text, max_size=2).map(tuple)),
        "require_attachments": draw(st.booleans()),
        "sender_priority": draw(st.dictionaries(any_text, st.sampled_from(Priority), max_size=2)),
    }
    if draw(st.booleans()):
        fields |= {"vacation_start": start, "vacation_end": start + timedelta(days=draw(st.integers(0, 400)))}
    if draw(st.booleans()):
        return open_from(draw(clocks), draw(clocks), **fields)
    return Settings(**fields)
