"""Looking names up: who waits for whom, and who never does."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from textwrap import dedent

import pytest

from app.integrations.errors import Failure, IntegrationError
from app.integrations.network import Gate
from app.integrations.resolver import MOST_ADDRESSES, MOST_FOR_A_NAME, MOST_THREADS, Resolver, resolve
from app.integrations.webhook import DeliveryError, Target, Webhooks
from tests.servers import Sink, eventually_async

WELL = "203.0.113.5"


class NameServer:
    """Answers at once for a name that begins with `well`; every other lookup hangs until `answer`."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answer = threading.Event()

    def __call__(self, host: str) -> Iterable[str]:
        self.asked[host] += 1
        if not host.startswith("well"):
            self.answer.wait()
        return [WELL]

    @property
    def most_asked(self) -> int:
        return max(self.asked.values())


@contextmanager
def hanging() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.answer.set()


async def failure(resolver: Resolver, host: str) -> IntegrationError:
    with pytest.raises(IntegrationError) as failed:
        await resolver.addresses(host)
    return failed.value


async def test_a_name_that_is_well_is_found_while_a_hundred_others_hang() -> None:
    done: list[str] = []

    async def ask(resolver: Resolver, name: str) -> None:
        await resolver.addresses(name)
        done.append(name)

    with hanging() as server:
        resolver = Resolver(server, limit=60)
        slow = [asyncio.create_task(ask(resolver, f"slow-{number}")) for number in range(100)]
        await eventually_async(lambda: len(server.asked) == 100)
        await ask(resolver, "well")
        assert done == ["well"]
        server.answer.set()
        await asyncio.gather(*slow)
    assert done[0] == "well"
    assert len(done) == 101


async def test_everybody_who_asks_meanwhile_shares_one_lookup() -> None:
    with hanging() as server:
        resolver = Resolver(server, limit=60)
        asking = [asyncio.create_task(resolver.addresses("slow")) for _ in range(50)]
        await eventually_async(lambda: server.asked)
        server.answer.set()
        assert await asyncio.gather(*asking) == [(WELL,)] * 50
    assert server.asked == {"slow": 1}


async def test_who_goes_away_takes_no_answer_from_the_others() -> None:
    with hanging() as server:
        resolver = Resolver(server, limit=60)
        first, second = (asyncio.create_task(resolver.addresses("slow")) for _ in range(2))
        await eventually_async(lambda: server.asked)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        server.answer.set()
        assert await second == (WELL,)


async def test_once_answered_a_name_is_looked_up_anew() -> None:
    with hanging() as server:
        resolver = Resolver(server)
        assert await resolver.addresses("well") == await resolver.addresses("well") == (WELL,)
        assert server.asked == {"well": 2}


async def test_a_lookup_that_hangs_ends_at_its_limit_and_two_threads_at_most_wait_for_a_name() -> None:
    with hanging() as server:
        resolver = Resolver(server, limit=0)
        for _ in range(5):
            assert (await failure(resolver, "slow")).reason is Failure.TIMED_OUT
        await eventually_async(lambda: server.asked["slow"] == MOST_FOR_A_NAME)
        assert server.asked == {"slow": MOST_FOR_A_NAME}


async def test_whichever_of_two_threads_answers_does_so_for_all_who_wait() -> None:
    with hanging() as server:
        resolver = Resolver(server, limit=0)
        assert (await failure(resolver, "slow")).reason is Failure.TIMED_OUT
        resolver.limit = 60
        asking = [asyncio.create_task(resolver.addresses("slow")) for _ in range(3)]
        await eventually_async(lambda: server.asked["slow"] == MOST_FOR_A_NAME)
        server.answer.set()
        assert await asyncio.gather(*asking) == [(WELL,)] * 3
        await eventually_async(lambda: not resolver.threads)
        assert await resolver.addresses("slow") == (WELL,)


async def test_beyond_a_number_of_threads_a_name_is_refused_and_none_is_started() -> None:
    with hanging() as server:
        resolver = Resolver(server, limit=0)
        for number in range(MOST_THREADS):
            await failure(resolver, f"slow-{number}")
        await eventually_async(lambda: len(server.asked) == MOST_THREADS)
        assert "too many names" in (await failure(resolver, "well")).detail
        await failure(resolver, "slow-1")  # which has a thread that it may wait for
        assert sum(server.asked.values()) == MOST_THREADS
        server.answer.set()
        await eventually_async(lambda: not resolver.threads)
        resolver.limit = 60
        assert await resolver.addresses("well") == (WELL,)


async def test_of_a_thousand_addresses_few_are_tried() -> None:
    many = [f"203.0.113.{number % 200}" for number in range(1000)]
    assert await Resolver(lambda _: many).addresses("many") == tuple(many[:MOST_ADDRESSES])


async def test_a_name_that_is_not_known_is_not_found_for_everybody_who_asked() -> None:
    def unknown(host: str) -> Iterable[str]:
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is not known")

    resolver = Resolver(unknown)
    failures = await asyncio.gather(*(failure(resolver, "nowhere") for _ in range(3)))
    assert [error.reason for error in failures] == [Failure.NAME_NOT_FOUND] * 3
    assert "nowhere is not known" in failures[0].detail


async def test_an_address_needs_no_thread() -> None:
    with hanging() as server:
        assert await Resolver(server).addresses("127.0.0.1") == ("127.0.0.1",)
        assert await Resolver(server).addresses("::1") == ("::1",)
    assert not server.asked
    assert await resolve("127.0.0.1") == ("127.0.0.1",)


async def test_a_receiver_whose_name_hangs_gets_nothing_and_holds_up_no_other(sink: Sink) -> None:
    with hanging() as server:
        posting = Webhooks(Gate(sink.address), resolve=Resolver(server, limit=60).addresses)
        target = Target(key=1, url=f"http://slow.example:{sink.port}/")
        hangs = asyncio.create_task(posting.post(target, b"{}", {}, 60))
        await eventually_async(lambda: server.asked)
        assert (await posting.post(Target(key=2, url=sink.url), b"{}", {}, 10)).status == 200
        assert not hangs.done()
        server.answer.set()
        with pytest.raises(DeliveryError) as refused:
            await hangs
        await posting.aclose()
    assert refused.value.reason is Failure.PRIVATE_ADDRESS  # for documents only, says its registry
    assert len(sink.seen) == 1


def test_lookups_that_hang_do_not_keep_the_program_from_ending() -> None:
    program = """
        import asyncio, threading
        from app.integrations.errors import IntegrationError
        from app.integrations.resolver import Resolver

        async def main():
            try:
                await Resolver(lambda _: threading.Event().wait(), limit=0.01).addresses("slow")
            except IntegrationError as error:
                print(error.reason)

        asyncio.run(main())
    """
    ended = subprocess.run(
        [sys.executable, "-c", dedent(program)], timeout=60, check=True, capture_output=True, text=True
    )
    assert ended.stdout == "timed_out\n"
