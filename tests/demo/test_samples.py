"""The sample mails, through the real parser and the real rules."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from app.demo.rows import look, write
from app.demo.samples import ROUND, Promise, Sample, samples
from app.demo_ports import Ports
from app.integrations.errors import Failure, IntegrationError
from app.integrations.parser import Parser
from app.models import Database, Rule, Setting
from app.rules.decide import Judgement, decide
from app.rules.group import GroupKey
from app.rules.mail import Mail
from app.rules.rule import Rule as RuleValue
from app.rules.settings import Settings
from app.rules.verdict import Verdict
from app.vault import Vault

NOW = datetime(2026, 11, 22, 13, 12, tzinfo=UTC)  # 14h12 in Paris
VAULT = Vault("a key for tests")
PROMISED = {
    Verdict.DELIVER: Promise.DELIVERED,
    Verdict.HOLD: Promise.HELD,
    Verdict.IGNORE: Promise.IGNORED,
    Verdict.DUPLICATE: Promise.DUPLICATE,
}


@dataclass
class Judge:
    """The rules and settings of a demo started at `now`, remembering which lots were sent."""

    rules: list[RuleValue]
    settings: Settings
    now: datetime
    marks: dict[GroupKey, int] = field(default_factory=dict)

    def judge(self, mail: Mail) -> Judgement:
        mail = replace(mail, arrived_at=self.now)
        judgement = decide(
            mail=mail, rules=self.rules, settings=self.settings, marks=self.marks, now=self.now
        )
        sent = [one.group for one in judgement.outcomes if one.verdict is Verdict.DELIVER]
        self.marks |= dict.fromkeys(filter(None, sent), 1)
        return judgement


async def started_at(database: Database, now: datetime) -> Judge:
    _, password = await look(database, VAULT)
    await write(database, VAULT, places=Ports(imap=40001, receiver=40002), password=password, now=now)
    async with database.reading() as db:
        return Judge(list(await Rule.in_force(db)), (await Setting.load(db)).as_value(), now)


async def read(parser: Parser, sample: Sample) -> Mail:
    raw = sample.written(NOW.astimezone(ZoneInfo("Europe/Paris")))
    mail = await parser.mail(raw)
    return Mail(
        subject=mail.subject,
        sender=mail.sender_header,
        text=mail.text,
        source_text=f"{mail.plain}\n{mail.html}",
        size=len(raw),
        arrived_at=NOW,
        attachments=mail.attachments,
        text_cut=False,
    )


async def readable_round() -> list[tuple[Sample, Mail]]:
    async with Parser() as parser:
        wanted = [one for one in islice(samples(NOW), len(ROUND)) if one.promise is not Promise.QUARANTINED]
        return [(sample, await read(parser, sample)) for sample in wanted]


async def test_at_any_hour_the_rules_do_with_each_sample_what_it_promises(prepared: Database) -> None:
    mails = await readable_round()
    for hours in range(24):
        judge = await started_at(prepared, NOW + timedelta(hours=hours))
        for sample, mail in mails:
            judgement = judge.judge(mail)
            assert PROMISED[judgement.verdict] == sample.promise, (sample.name, hours, judgement.reason)


async def test_one_sample_ends_the_parser_time_and_again_and_no_other_suffers() -> None:
    [deadly] = [sample for sample in ROUND if sample.promise is Promise.QUARANTINED]
    async with Parser() as parser:
        for _ in range(2):
            with pytest.raises(IntegrationError) as ended:
                await read(parser, deadly)
            assert ended.value.reason in {Failure.PARSER_FAILED, Failure.PARSER_TOO_BIG}
            assert (await read(parser, ROUND[0])).subject


async def test_the_samples_show_every_detector_deadline_and_provider(prepared: Database) -> None:
    judge = await started_at(prepared, NOW)
    judgements = [judge.judge(mail) for _, mail in await readable_round()]
    matched = [one for judgement in judgements for one in judgement.outcomes if one.matched]

    assert {(one.detector, one.delivery_time) for one in matched} == {
        (None, None),
        ("desabonnement_journee_tarifs", None),
        ("recadrage", "17h12"),
        ("recadrage", "12h00"),
        ("recadrage", "15h12"),
        ("recadrage", "le 23/11/2026 à 09h30"),
    }
    providers = {link.provider for judgement in judgements for link in judgement.links}
    assert providers == {"dropbox", "fromsmash", "swisstransfer", "wetransfer"}


async def test_a_mail_in_no_known_charset_is_read_and_noted() -> None:
    [sample] = [sample for sample in ROUND if sample.name == "unknown charset"]
    async with Parser() as parser:
        mail = await parser.mail(sample.written(NOW))
    assert mail.subject.startswith("Média Solution")
    assert "désolé" in mail.text
    assert mail.notes == ("unknown_charset[x-mac-savoie]",)


def test_each_mail_is_new_and_one_lot_is_never_used_again() -> None:
    three_rounds = list(islice(samples(NOW), 3 * len(ROUND) - 2))
    assert len({sample.written(NOW) for sample in three_rounds}) == len(three_rounds)
    assert [sample.name for sample in three_rounds].count("unreadable") == 1
    lots = [sample.lot for sample in three_rounds if sample.name in {"recadrage", "urgent recadrage"}]
    assert len(set(lots)) == len(lots) == 6
    seconds_later = max(sample.lot for sample in three_rounds) - min(sample.lot for sample in three_rounds)
    assert seconds_later < 20 * len(three_rounds), (
        "lots count slower than the clock from which a start takes them"
    )
