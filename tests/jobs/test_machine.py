"""Whatever happens in whatever order, every mail arrives at every receiver, and the ledger stays sound."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis import Redis as Client

from app.models import DeliveryState, EndpointState, Sending
from tests.chaos.variants import mark_first
from tests.jobs.conftest import Clock
from tests.jobs.lives import RECEIVERS, Lives, Surroundings
from tests.letters import with_link
from tests.servers import Answer, Dovecot, Redis, Sink

STATUSES = (200, 200, 200, 500, 429, 422, 404, 410, 302)
WHILE_POLLING = ("", "announce.after", "fetch.after", "t1.before_commit", "t1.after_commit", "flag.before")
WHILE_DECIDING = ("", "decide.claimed", "t2.before_commit", "t2.after_commit")
WHILE_SENDING = ("", "claim.after_commit", "send.after", "record.before_commit", "record.after_commit")
LONGEST_HEALING = 60  # rounds
EXAMPLES, STEPS = 20, 30


class Machine(RuleBasedStateMachine):
    """The steps; each is what one process or one person does."""

    surroundings: ClassVar[Surroundings]
    numbers: ClassVar[Iterator[int]]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.mails = 0
        self.world = self.surroundings.anew(next(self.numbers))
        self.lives = Lives(self.world)
        self.do(self.world.furnish())

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401
        return self.runner.run(work)

    @rule(number=st.integers(1, 4))
    def mails_arrive(self, number: int) -> None:
        for _ in range(number):
            self.world.dovecot.deliver(self.world.user, with_link())
        self.mails += number

    @rule(dies_at=st.sampled_from(WHILE_POLLING))
    def poll(self, dies_at: str) -> None:
        self.do(self.lives.poll(dies_at=dies_at))

    @rule(dies_at=st.sampled_from(WHILE_DECIDING))
    def decide(self, dies_at: str) -> None:
        self.do(self.lives.decide(dies_at=dies_at))

    @rule(dies_at=st.sampled_from(WHILE_SENDING), said=st.lists(st.sampled_from(STATUSES), max_size=8))
    def deliver(self, dies_at: str, said: Sequence[int]) -> None:
        self.world.sink.answers.extend(Answer(status=status) for status in said)
        self.do(self.lives.deliver(dies_at=dies_at))
        self.world.sink.answers.clear()

    @rule()
    def sweep(self) -> None:
        self.do(self.lives.sweep())

    @rule(seconds=st.sampled_from([1, 10, 60, 3600, 86_400, -30, -3600]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.world.clock.pass_(seconds=seconds)

    @rule()
    def redis_forgets_everything(self) -> None:
        with Client(port=self.world.redis.port) as client:
            client.flushall()

    @rule(sending=st.sampled_from([Sending.ON, Sending.ON, Sending.PAUSED, Sending.DRAINING]))
    def the_switch_is_turned(self, sending: Sending) -> None:
        self.do(self.lives.change(lambda setting, _: setattr(setting, "sending", sending)))

    @rule(state=st.sampled_from([EndpointState.ACTIVE, EndpointState.PAUSED]), ordered=st.booleans())
    def a_receiver_is_changed(self, state: EndpointState, ordered: bool) -> None:  # noqa: FBT001
        def change(_: object, endpoints: Sequence[Any]) -> None:
            endpoints[0].state, endpoints[0].ordered = state, ordered

        self.do(self.lives.change(change))

    @rule()
    def somebody_sends_again_what_stays(self) -> None:
        self.do(self.lives.send_again())

    @invariant()
    def the_ledger_is_consistent(self) -> None:
        broken = self.do(self.lives.broken())
        assert (broken["I2"], broken["I3"]) == (0, 0)  # mail that was listed may still have to be fetched: I1

    @invariant()
    def nothing_counts_as_sent_that_no_receiver_saw(self) -> None:
        seen = {one.headers["webhook-id"] for one in self.world.sink.seen}
        sent = {row.webhook_id for row in self.do(self.lives.rows()) if row.state is DeliveryState.SENT}
        assert sent <= seen

    def teardown(self) -> None:
        try:
            self.heal()
        finally:
            self.runner.close()
            self.world.sink.seen.clear()

    def heal(self) -> None:
        """Let everything be well for a while: then every mail is with every receiver."""
        self.do(self.lives.change(_well))
        for _ in range(LONGEST_HEALING):
            self.world.clock.pass_(hours=1)
            for step in (self.lives.sweep, self.lives.poll, self.lives.decide, self.lives.deliver):
                self.do(step())
            self.do(self.lives.send_again())
            rows = self.do(self.lives.rows())
            if len(rows) == self.mails * RECEIVERS and all(row.state == "sent" for row in rows):
                break
        assert Counter(row.state for row in rows) == Counter(sent=self.mails * RECEIVERS)
        times = Counter(attempt.headers["webhook-id"] for attempt in self.world.sink.seen)
        assert not any(self.do(self.lives.broken()).values())
        assert set(times) == {row.webhook_id for row in rows}


def _well(setting: Any, endpoints: Sequence[Any]) -> None:  # noqa: ANN401 - rows
    setting.sending = Sending.ON
    for endpoint in endpoints:
        endpoint.state = EndpointState.ACTIVE


@pytest.fixture
def around(  # noqa: PLR0917 - fixtures
    tmp_path: Path, schema: Path, dovecot: Dovecot, redis: Redis, sink: Sink
) -> Surroundings:
    return Surroundings(
        folder=tmp_path, schema=schema, user="", clock=Clock(), dovecot=dovecot, redis=redis, sink=sink
    )


def run(around: Surroundings, examples: int = EXAMPLES) -> None:
    run_state_machine_as_test(
        type("Here", (Machine,), {"surroundings": around, "numbers": count(1)}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            print_blob=True,
            phases=[Phase.generate],  # to shrink what fails takes minutes: add the others by hand then
        ),
    )


def test_nothing_is_lost_whatever_happens_in_whatever_order(around: Surroundings) -> None:
    run(around)


def test_a_mark_that_is_moved_before_the_mail_is_stored_is_found_out(around: Surroundings) -> None:
    with pytest.raises(AssertionError):
        run(replace(around, take_in=mark_first.take_in), 20 * EXAMPLES)  # it ends with the first loss
