"""Send what was claimed, and write down how it went."""

import asyncio
from functools import partial

from app.events import Event
from app.integrations.errors import IntegrationError
from app.jobs.border import guarded
from app.jobs.claim import Claimed, claim, due_endpoints
from app.jobs.context import Context
from app.jobs.outcome import Result, record
from app.jobs.patience import until_taken
from app.jobs.request import headers_of, target_of

MOST_RESULTS = 50  # in one commit


class Deliverer:
    """Keeps each endpoint as busy as it may be: one task for each request, one that writes results down."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._under_way: dict[int, set[asyncio.Task[None]]] = {}
        self._results: asyncio.Queue[Result] = asyncio.Queue()

    async def claim_due(self) -> int:
        """Start what is due and has a free place; gives how many were started."""
        async with self._context.database.reading() as db:
            endpoints = await due_endpoints(db, self._context.now())
        started = 0
        for endpoint in endpoints:
            started += await guarded("claim", partial(self._start, *endpoint)) or 0
        if started:
            await self._context.queue.publish(Event.DELIVERY_CHANGED)
        return started

    async def _start(self, endpoint_id: int, concurrency: int) -> int:
        under_way = self._under_way.setdefault(endpoint_id, set())
        free = concurrency - len(under_way)
        claimed = await claim(self._context, endpoint_id, free) if free > 0 else []
        for one in claimed:
            sending = guarded("send", partial(self._send, one), failed=partial(self._broke, one))
            task = asyncio.create_task(sending)
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        return len(claimed)

    async def write_results(self) -> None:
        """Write results down as they come, many in one commit; never gives one up while the process lives."""
        while True:
            results = [await self._results.get()]
            while not self._results.empty() and len(results) < MOST_RESULTS:
                results.append(self._results.get_nowait())
            await guarded(
                "record", partial(self._write, results), failed=partial(self._write_singly, results)
            )
            for _ in results:
                self._results.task_done()
            self._context.bells.deliver.set()
            await self._context.queue.publish(Event.DELIVERY_CHANGED)

    async def _write(self, results: list[Result]) -> None:
        await until_taken("results", partial(record, self._context, results))

    async def _write_singly(self, results: list[Result]) -> None:
        """One of them cannot be recorded: it takes no other along."""
        for result in results:
            await guarded("record one", partial(self._write, [result]))

    async def drain(self) -> None:
        """Wait until what is under way has ended and is written down."""
        tasks = [task for tasks in self._under_way.values() for task in tasks]
        if tasks:
            await asyncio.wait(tasks)
        await self._results.join()

    async def _send(self, claimed: Claimed) -> None:
        context, started_at = self._context, self._context.now()
        kept: dict[str, str] = {}
        answer, failure = None, None
        try:
            endpoint = claimed.endpoint
            headers = headers_of(
                context,
                endpoint,
                webhook_id=claimed.webhook_id,
                content_type=claimed.content_type,
                body=claimed.body,
                at=started_at,
            )
            kept = headers.kept
            answer = await context.webhooks.post(
                target_of(context, endpoint), claimed.body, headers.sent, endpoint.timeout
            )
        except IntegrationError as error:
            failure = error
        context.crash.point("send.after")
        self._results.put_nowait(
            Result(
                claimed=claimed,
                ended_at=context.now(),
                request_headers=kept,
                answer=answer,
                failure=failure,
            )
        )

    async def _broke(self, claimed: Claimed) -> None:
        """An error of ours ends a try as a failure does, so that there is a last one."""
        ended_at = self._context.now()
        self._results.put_nowait(Result(claimed=claimed, ended_at=ended_at, request_headers={}))
