"""The whole thing: a real mail goes in, a signed webhook comes out, and the page shows it live."""

from collections.abc import Mapping
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from playwright.async_api import Browser
from standardwebhooks import Webhook

from app.crash import POINTS
from app.models import sqlite
from app.vault import Vault
from tests.letters import matching
from tests.program import Program
from tests.servers import Dovecot, Sink, eventually

users = count(1)
PATIENCE = 60.0  # seconds for the whole way on two shared cores


class Story:
    """An operator's machine: a mailbox, a receiver, and the program between them."""

    def __init__(self, dovecot: Dovecot, sink: Sink, data_dir: Path) -> None:
        self.dovecot, self.sink, self.data_dir = dovecot, sink, data_dir
        self.user = f"story{next(users)}"

    def program(self, env: Mapping[str, str] | None = None) -> Program:
        return Program(self.data_dir, {**self._env(), **(env or {})})

    def _env(self) -> dict[str, str]:
        return {
            "EMAIL_ADDRESS": self.user,
            "EMAIL_PASSWORD": self.dovecot.password,
            "IMAP_SERVER": self.dovecot.host,
            "IMAP_PORT": str(self.dovecot.port),
            "IMAP_USE_SSL": "false",
            "EMAIL_POLLING_INTERVAL_SECONDS": "1",
            "WEBHOOK_URL": self.sink.url,
            "ALLOW_PRIVATE_TARGETS": self.sink.address,
            "LOG_FORMAT": "json",
        }

    def arrives(self, *mails: bytes) -> None:
        for mail in mails:
            self.dovecot.deliver(self.user, mail)

    def query(self, question: str) -> list[tuple[object, ...]]:
        with closing(sqlite.install().connect(self.data_dir / "signal.db")) as connection:
            answer: list[tuple[object, ...]] = connection.execute(question).fetchall()
        return answer

    def secret(self) -> str:
        ((sealed,),) = self.query("SELECT secret FROM endpoint")
        assert isinstance(sealed, bytes)
        return Vault((self.data_dir / "secret.key").read_text().strip()).open(sealed)


@pytest.fixture
def story(dovecot: Dovecot, sink: Sink, tmp_path: Path) -> Story:
    return Story(dovecot, sink, tmp_path / "data")


def test_a_mail_arrives_signed_at_the_receiver(story: Story) -> None:
    with story.program() as program:
        story.arrives(matching(42))
        eventually(lambda: story.sink.seen, timeout=PATIENCE)
        (seen,) = story.sink.seen
        Webhook(story.secret()).verify(seen.body, seen.headers)
        assert seen.json["detector"] == "recadrage"
        with program.signed_in() as browser:
            assert "Lot 42" in browser.get("/deliveries").text
            assert browser.get("/api/invariants").json() == {"I1": 0, "I2": 0, "I3": 0}


async def test_a_page_that_is_open_shows_a_new_delivery_without_reloading(
    story: Story, chromium: Browser
) -> None:
    with story.program() as program:
        async with await chromium.new_context(locale="en-GB") as context:
            page = await context.new_page()
            await page.goto(program.sign_in_link)
            await page.get_by_role("button", name="Sign in").click()
            await page.goto(f"{program.url}/deliveries")
            loaded = await page.evaluate("performance.timeOrigin")
            story.arrives(matching(42))
            row = page.locator("#delivery-list").get_by_text("Lot 42")
            await row.wait_for(timeout=PATIENCE * 1000)
            await page.get_by_text("sent").first.wait_for(timeout=PATIENCE * 1000)
            assert await page.evaluate("performance.timeOrigin") == loaded


def test_a_pause_survives_a_restart(story: Story) -> None:
    with story.program() as program, program.signed_in() as browser:
        browser.post("/pause", data={"to": "paused"}, headers={"Origin": program.url})
    story.arrives(matching(42))
    with story.program() as program, program.signed_in() as browser:
        eventually(lambda: _reasons(story) == [("held", "paused")], timeout=PATIENCE)
        assert "Sending is paused" in browser.get("/held").text
        browser.post("/pause", data={"to": "on", "per_minute": "60"}, headers={"Origin": program.url})
        eventually(lambda: _all_sent(story, 1), timeout=PATIENCE)
    assert len(story.sink.seen) == 1


def test_a_death_at_a_release_lets_it_happen_once(story: Story) -> None:
    with story.program() as program, program.signed_in() as browser:
        browser.post("/pause", data={"to": "paused"}, headers={"Origin": program.url})
        story.arrives(matching(42))
        eventually(lambda: _reasons(story) == [("held", "paused")], timeout=PATIENCE)
    point = {"TESTING": "1", "CRASH_AT": "release.before_commit"}
    with story.program(point) as program, program.signed_in() as browser:
        browser.post("/pause", data={"to": "on", "per_minute": "0"}, headers={"Origin": program.url})
        eventually((story.data_dir / "crashed-release.before_commit-0").exists, timeout=PATIENCE)
        eventually(lambda: _all_sent(story, 1), timeout=PATIENCE)
    assert len(story.sink.seen) == 1


def _reasons(story: Story) -> list[tuple[object, ...]]:
    return story.query("SELECT state, reason ->> 'code' FROM delivery")


# One life of the program for several points, each death followed by a fresh worker. Where requests may be on
# their way beside the one that dies, only a single mail says for certain how often it arrived. A replay has
# a test of its own.
LIVES = [(POINTS[:3], 3), (POINTS[3:6], 3), (POINTS[6:9], 3), *(((point,), 1) for point in POINTS[9:13])]
LIVES += [(("send.after", "sweep.before_commit"), 1)]
SENT_TWICE = {"send.after", "record.before_commit"}


@pytest.mark.parametrize(("points", "mails"), LIVES, ids=str)
def test_a_worker_that_dies_loses_nothing_and_repeats_at_most_one(
    story: Story, points: tuple[str, ...], mails: int
) -> None:
    story.arrives(*(matching() for _ in range(mails)))
    with story.program({"TESTING": "1", "CRASH_AT": ",".join(points)}) as program:
        for point in points:
            eventually((story.data_dir / f"crashed-{point}-0").exists, timeout=PATIENCE)
        eventually(lambda: _all_sent(story, mails), timeout=PATIENCE)
        eventually(lambda: program.output.count("SIGKILL") >= len(points))
    ids = [seen.headers["webhook-id"] for seen in story.sink.seen]
    assert len(set(ids)) == mails
    assert len(ids) - mails == (1 if SENT_TWICE & set(points) else 0)
    assert len({seen.body for seen in story.sink.seen}) == mails


def _all_sent(story: Story, mails: int) -> bool:
    return story.query("SELECT count(*) FROM delivery WHERE state = 'sent'") == [(mails,)]


def test_a_thousand_waiting_mails_are_all_delivered(story: Story) -> None:
    story.arrives(*(matching(lot) for lot in range(1000)))
    with story.program():
        eventually(lambda: _all_sent(story, 1000), timeout=240)
    subjects = {seen.json["subject"] for seen in story.sink.seen}
    assert len(subjects) == 1000
    assert story.query("SELECT count(*), count(DISTINCT uid) FROM message") == [(1000, 1000)]
