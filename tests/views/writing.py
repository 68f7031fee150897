"""Rules as tests write them: one that says all that a rule can, and what a browser posts of its form."""

import re
from typing import Any

import httpx2

from app.jobs import amend
from app.models import Rule, RuleVersion
from app.rules.draft import read
from app.rules.rule import Rule as RuleValue
from tests.views.page_form import PageForm
from tests.web.client import Site

LOTS = {
    "name": "Lots of the studio",
    "endpoint_ids": [1, 2],
    "conditions": {
        "mode": "any",
        "negated": True,
        "items": [
            {"field": "subject", "operator": "matches", "values": [r"lot (?P<lot>\d+), \w"], "exact": True},
            {
                "mode": "all",
                "negated": True,
                "items": [
                    {"field": "sender", "operator": "one_of", "values": ["a@b.example", "c@d.example"]},
                    {"field": "header", "operator": "contains", "header": "list-id", "values": ["<x>"]},
                    {"field": "header", "operator": "present", "header": "x-mailer", "negated": True},
                ],
            },
            {"field": "text", "operator": "one_of", "values": ["one, two"]},
            {"field": "mailbox", "operator": "equals", "values": ["gone"]},
            {"field": "mailbox", "operator": "one_of", "values": ["archives", "missions", "gone"]},
            {"field": "attachment", "operator": "present", "negated": True},
            {"field": "link", "operator": "one_of", "values": ["dropbox", "wetransfer"]},
            {"field": "size", "operator": "smaller", "values": ["0.5"]},
            {"field": "detector", "operator": "equals", "values": ["recadrage"], "negated": True},
        ],
    },
    "links_required": False,
    "group": "days:30",
    "policy": {"before": "send", "after": "drop", "absence": "drop", "paused": "hold", "vacation": "drop"},
    "urgent_policy": {
        "before": "hold",
        "after": "send",
        "absence": "hold",
        "paused": "drop",
        "vacation": "hold",
    },
    "hold_expires": "end_of_day",
    "stop": True,
    "priority": "low",
    "offload": False,
    "template": '{\n  "title": "{{subject}}",\n  "lot": "{{detector}}"\n}',
    "exclude_keywords": ["promo", "“vente” & <soldes>"],
    "subject_terms": ["lot"],
    "forbidden_terms": [],
}


def value_of(raw: dict[str, Any]) -> RuleValue:
    value, problems = read(raw, endpoints=[1, 2])
    assert value, problems
    return value


async def saved(site: Site, raw: dict[str, Any]) -> int:
    """A rule as Grace saved it."""
    async with site.database.transaction() as db:
        return (await amend.create(db, value_of(raw), by="grace", now=site.clock())).id or 0


async def version(site: Site, rule: int, number: int) -> RuleVersion:
    async with site.database.reading() as db:
        found = await (await db.get_one(Rule, rule)).in_version(db, number)
    assert found
    return found


async def form_of(browser: httpx2.AsyncClient, address: str) -> PageForm:
    return PageForm((await browser.get(address)).text, "rule-form")


def sent(fields: list[tuple[str, str]], **changes: str) -> dict[str, list[str]]:
    """What a browser posts: the page's fields, some with another value."""
    data: dict[str, list[str]] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    return data | {name.replace("__", "."): [value] for name, value in changes.items()}


def problems(page: str) -> dict[str, str]:
    """The mistakes that a page tells, by their places."""
    found = re.findall(r'class="problem" id="problem-([^"]+)">.*?</svg>([^<]+)</p>', page, re.DOTALL)
    return {place: text.strip() for place, text in found}
