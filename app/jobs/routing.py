"""Routing rules as programs keep them: rows by the ids that those gave, before every other rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.integrations.errors import IntegrationError
from app.integrations.network import Gate
from app.jobs import amend
from app.jobs.seed import new_endpoint
from app.models import Endpoint, EndpointState, LogEvent, Mailbox, Rule, RuleVersion, Setting
from app.rules import draft
from app.rules.beginnings import beginnings
from app.rules.routing import Problem, Route, write
from app.rules.rule import Priority
from app.rules.rule import Rule as RuleValue
from app.rules.verdict import Reason
from app.vault import Vault

SAVED = "routing rules saved"


async def told(db: AsyncSession) -> dict[str, Any]:
    """Give what is stored; while nothing is, three rules to begin with as well."""
    stock = await _stock(db)
    shapes = [write(route) for rule, route in stock.made.values() if rule.archived_at is None]
    rules = [shape for shape in shapes if shape is not None]
    saved_at = await _saved_at(db)
    config = {"rules": rules, "_updated_at": saved_at.isoformat() if saved_at else None}
    if rules:
        return {"config": config}
    first = beginnings(stock.usual.url if stock.usual else "", await _senders(db))
    return {"config": config, "fallback_rules": first, "fallback_rule": first[0]}


class Unfit(Exception):
    """A rule of the list cannot be saved; nothing is."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason.code)
        self.problem = problem


async def save(
    db: AsyncSession, routes: Sequence[Route], *, gate: Gate, vault: Vault, by: str, now: datetime
) -> None:
    """Let these be the routing rules, in their order; what changed gets a new version, what is gone rests.

    Raises:
        Unfit: nothing could ever be sent to an address, or what an operator added to a rule fits it no more.
    """
    await Setting.load(db, for_update=True)  # one who saves at a time
    stock = await _stock(db)
    wanted = {route.external_id for route in routes}
    for external_id, (rule, route) in stock.made.items():
        # one that programs are not shown, for it was taken beyond their shape, is not theirs to remove
        if external_id not in wanted and rule.archived_at is None and write(route) is not None:
            amend.archive(db, rule, by=by, now=now)
    placed: list[Rule] = []
    for number, route in enumerate(routes, 1):
        _check_address(route, gate, number)
        if route.url not in stock.endpoints:
            stock.endpoints[route.url] = await _connected(db, stock, route.url, vault=vault, now=now)
        asked = _asked(stock, route, stock.made.get(route.external_id, (None, None))[1])
        _check_fit(asked, number)
        placed.append(await _put(db, stock, route, asked, by=by, now=now))
    others = [rule for rule, _ in await Rule.listed(db) if rule not in placed]
    for position, rule in enumerate([*placed, *others]):
        rule.position = position
    db.add(LogEvent(at=now, event=SAVED, subject=by, facts={"rules": len(routes)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stock:
    """What there is: the rules that programs made by their ids, one's own receivers by their addresses."""

    made: Mapping[str, tuple[Rule, Route]]
    endpoints: dict[str, Endpoint]
    usual: Endpoint | None


async def _stock(db: AsyncSession) -> _Stock:
    own = select(Endpoint).where(Endpoint.is_own())
    endpoints = (await db.exec(own.order_by(col(Endpoint.id).desc()))).all()
    usual = _usual(await Rule.listed(db), endpoints)
    made = (
        select(Rule, RuleVersion)
        .where(RuleVersion.rule_id == Rule.id, RuleVersion.number == Rule.version)
        .where(col(Rule.external_id).is_not(None))
        .order_by(col(Rule.position), col(Rule.id))
    )
    return _Stock(
        made={
            rule.external_id or "": (rule, _as_route(rule, version.as_value(), endpoints, usual))
            for rule, version in (await db.exec(made)).all()
        },
        endpoints={endpoint.url: endpoint for endpoint in endpoints},
        usual=usual,
    )


def _usual(listed: Sequence[tuple[Rule, RuleVersion]], endpoints: Sequence[Endpoint]) -> Endpoint | None:
    """The first active receiver of one's own that rules not made by programs have."""
    active = {endpoint.id: endpoint for endpoint in endpoints if endpoint.state is EndpointState.ACTIVE}
    named = [
        endpoint_id
        for rule, version in listed
        if not rule.external_id
        for endpoint_id in version.endpoint_ids
    ]
    return next((active[endpoint_id] for endpoint_id in named if endpoint_id in active), None)


def _as_route(rule: Rule, value: RuleValue, endpoints: Sequence[Endpoint], usual: Endpoint | None) -> Route:
    urls = {endpoint.id: endpoint.url for endpoint in endpoints}
    return Route(
        external_id=rule.external_id or "",
        url=urls.get(value.endpoint_ids[0], "") if value.endpoint_ids else "",
        stops=usual is not None and usual.id not in value.endpoint_ids,
        rule=value,
    )


async def _connected(db: AsyncSession, stock: _Stock, url: str, *, vault: Vault, now: datetime) -> Endpoint:
    """Add a receiver for those rules alone; its name gives no more away than the host."""
    host, names = urlsplit(url).hostname or "", {one.name for one in stock.endpoints.values()}
    numbered = (f"{host} ({number})" for number in range(2, len(names) + 3))
    name = next(name for name in (host, *numbered) if name not in names)
    endpoint = new_endpoint(name, url, vault, now)
    db.add(endpoint)
    await db.flush()
    return endpoint


def _check_address(route: Route, gate: Gate, number: int) -> None:
    try:
        gate.check_url(route.url)
    except IntegrationError as error:
        raise Unfit(Problem(number, Reason(error.reason.value, {"detail": error.detail}))) from None


def _check_fit(asked: RuleValue, number: int) -> None:
    """What an operator added, such as a template, may rest on what the program has now taken away."""
    _, problems = draft.read(asked.as_draft(), endpoints=asked.endpoint_ids)
    if problems:
        raise Unfit(Problem(number, next(iter(problems.values()))))


async def _put(
    db: AsyncSession, stock: _Stock, route: Route, after: RuleValue, *, by: str, now: datetime
) -> Rule:
    """Add the rule, or bring it up to date."""
    rule, before = stock.made.get(route.external_id, (None, None))
    if rule is None:
        rule = await Rule.add(db, position=0, now=now)
        rule.external_id = route.external_id
    elif rule.archived_at is not None:
        rule.archived_at, rule.active = None, True
    if before is None or after != before.rule:
        await amend.save(db, rule, after, by=by, now=now)
    return rule


def _asked(stock: _Stock, route: Route, before: Route | None) -> RuleValue:
    """The rule as it is asked for; what programs cannot speak of stays as an operator left it."""
    receivers = [stock.endpoints[route.url].id or 0]
    if stock.usual is not None and not route.stops:
        receivers.append(stock.usual.id or 0)
    asked = replace(route.rule, endpoint_ids=tuple(dict.fromkeys(receivers)))
    if before is None:
        return asked
    now, wanted = before.rule, route.rule
    urgent = Priority.HIGH in {now.priority, wanted.priority}
    return replace(
        now,
        name=wanted.name,
        conditions=wanted.conditions,
        priority=wanted.priority if urgent else now.priority,
        stop=True,
        endpoint_ids=now.endpoint_ids if _same_way(before, route) else asked.endpoint_ids,
    )


def _same_way(before: Route, route: Route) -> bool:
    return (before.url, before.stops) == (route.url, route.stops)


async def _saved_at(db: AsyncSession) -> datetime | None:
    saved = select(func.max(LogEvent.at)).where(LogEvent.event == SAVED)
    return (await db.exec(saved)).one()


async def _senders(db: AsyncSession) -> list[str]:
    """Give the addresses that one's own mailboxes listen to; none, when one of them listens to everybody."""
    query = select(Mailbox.senders).where(col(Mailbox.demo).is_(False), col(Mailbox.active))
    lists = (await db.exec(query)).all()
    return sorted({sender for senders in lists for sender in senders}) if all(lists) else []
