"""How long a thousand rules take over one mail: seconds of the processor, whatever else the machine does."""

import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from app.rules import pattern
from app.rules.condition import Condition, Group
from app.rules.decide import decide
from app.rules.mail import Mail
from app.rules.passage import Passage
from app.rules.rule import Rule
from app.rules.settings import Settings
from tests.rules.conditions import asks, group

RULES = 1000
RUNS = 21
KILOBYTE = 1024
LIMITS = {4: 20, 256: 300}  # kilobytes of text: milliseconds
NOW = datetime(2026, 11, 16, 13, 0, tzinfo=UTC)
WORDS = ("bonjour", "merci", "mission", "livraison", "réunion", "été", "façade", "l’équipe", "n° 12", "lot 7")
LEADS = ("facture", "devis", "commande", "contrat", "lot", "dossier", "livraison", "réf.")
WORST = "(((a?b?){10}){10}){10}c"  # of the patterns that are accepted, the slowest we know


def figures() -> Iterator[tuple[str, str]]:
    for what, rules in (("of every kind", mixed()), ("with patterns", with_patterns())):
        for size, limit in LIMITS.items():
            times = [judge(a_mail(size), rules) for _ in range(RUNS)]
            yield (
                f"{RULES:,} rules {what}, {size} kB: median / best; limit {limit} ms",
                f"{statistics.median(times):.3g} / {min(times):.3g} ms",
            )
    yield "  the slowest pattern known, 256 kB made for it", f"{worst():.0f} ms"


def judge(mail: Mail, rules: list[Rule]) -> float:
    """Milliseconds for one mail, from its texts to its verdict."""
    began = time.process_time()
    decide(mail=mail, rules=rules, settings=Settings(), marks={}, now=NOW)
    return (time.process_time() - began) * 1000


def worst() -> float:
    passage = Passage("abaab" * (256 * KILOBYTE // 5))
    began = time.process_time()
    if pattern.check(WORST) is None:
        pattern.search(WORST, passage, exact=False)
    return (time.process_time() - began) * 1000


def a_mail(kilobytes: int) -> Mail:
    """A mail of French words, another one each time."""
    text = " ".join(random.choices(WORDS, k=kilobytes * KILOBYTE // 4))
    text = text.encode()[: kilobytes * KILOBYTE].decode("utf-8", "ignore")
    return Mail(
        subject="Mission du jour, lot 12",
        sender="ann@example.com",
        text=text,
        source_text=text,
        size=len(text),
        arrived_at=NOW,
        attachments=0,
        text_cut=False,
        recipients=("desk@example.org", "bob@example.org"),
        headers={"list-id": ("<teams.example.org>",)},
    )


def mixed() -> list[Rule]:
    return [rule(number, *_KINDS[number % len(_KINDS)](number)) for number in range(RULES)]


def with_patterns() -> list[Rule]:
    return [rule(number, *_pattern(number)) for number in range(RULES)]


def rule(number: int, *conditions: Condition | Group) -> Rule:
    """A rule as it comes from the database."""
    definition = Rule(
        id=number,
        version_id=number,
        name=f"Rule {number}",
        conditions=Group(items=conditions),
    ).definition()
    return Rule.from_definition(
        id=number, version_id=number, name=f"Rule {number}", endpoint_ids=(1,), definition=definition
    )


def _pattern(number: int) -> tuple[Condition, ...]:
    return (asks("text matches", rf"{LEADS[number % len(LEADS)]}\s+n°\s*(?P<number>{number}\d+)"),)


_KINDS = (
    lambda number: (asks("subject contains", f"offre {number}"),),
    lambda number: (asks("text contains", f"commande numéro {number}"),),
    _pattern,
    lambda number: (
        asks("sender ends", f"@client{number}.example"),
        asks("text contains", f"urgent {number}"),
    ),
    lambda number: (
        group(
            "any",
            asks("recipient equals", f"desk{number}@example.org"),
            asks("list-id contains", f"list{number}"),
        ),
        asks("text not contains", f"annulé {number}"),
    ),
    lambda number: (
        asks("subject one_of", f"Lot {number}", f"Offre {number}"),
        asks("detector not equals", "recadrage"),
    ),
)
