"""Send what was claimed, and write down how it went."""

import asyncio
from collections import defaultdict, deque
from functools import partial

from app.events import Event
from app.jobs.border import guarded
from app.jobs.claim import Claimed, claim, put_back
from app.jobs.context import Context
from app.jobs.outcome import record
from app.jobs.patience import until_taken
from app.jobs.request import exchange
from app.jobs.result import Result
from app.models import Endpoint, due

MOST_RESULTS = 50  # in one commit
STALE = 1.0  # seconds after which what waits for a place is asked again whether it may go


class Lane:
    """What this worker has of one endpoint: requests under way, and claims that wait for a free place."""

    def __init__(self) -> None:
        self.under_way: set[asyncio.Task[None]] = set()
        self.waiting: deque[Claimed] = deque()
        self.since = 0.0  # when the last of them was claimed, on the loop's clock
        self.places = 1

    @property
    def claimed(self) -> int:
        return len(self.under_way) + len(self.waiting)

    @property
    def stale(self) -> bool:
        """Whether a pause, a deletion or another address may have come since what waits was claimed."""
        return bool(self.waiting) and asyncio.get_running_loop().time() > self.since + STALE

    @property
    def full(self) -> bool:
        return len(self.under_way) >= self.places


class Deliverer:
    """Keeps each endpoint as busy as it may be: one task for each request, one that writes results down."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lanes: dict[int | None, Lane] = defaultdict(Lane)
        self._results: asyncio.Queue[Result] = asyncio.Queue()
        self._found = False  # whether there was something to claim the last time

    async def claim_due(self) -> int:
        """Start what is due and has a free place; gives how many were claimed."""
        await self._return(*(lane for lane in self._lanes.values() if lane.stale))
        look_first = not self._found
        claimed = await guarded("claim", partial(claim, self._context, self._room, look_first=look_first))
        if claimed is None:
            claimed = await self._claim_singly()
        self._found = bool(claimed)
        for one in claimed:
            self._context.in_hand.add(one.id)
            lane = self._lanes[one.endpoint.id]
            lane.places, lane.since = one.places, asyncio.get_running_loop().time()
            lane.waiting.append(one)
        for endpoint_id in {one.endpoint.id for one in claimed}:
            self._fill(self._lanes[endpoint_id])
        if claimed:
            await self._context.queue.publish(Event.DELIVERY_CHANGED)
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
            for result in results:
                self._context.in_hand.discard(result.claimed.id)
                self._results.task_done()
            self._context.bells.deliver.set()
            await self._context.queue.publish(Event.DELIVERY_CHANGED)

    async def drain(self) -> None:
        """Begin nothing more; wait until what is under way has ended and is written down."""
        await self._return(*self._lanes.values())
        tasks = [task for lane in self._lanes.values() for task in lane.under_way]
        if tasks:
            await asyncio.wait(tasks)
        await self._results.join()

    async def _return(self, *lanes: Lane) -> None:
        """Give back what waits for a place: it may not be what is wanted any more."""
        waiting = [one for lane in lanes for one in lane.waiting]
        for lane in lanes:
            lane.waiting.clear()
        if waiting:
            undo = partial(until_taken, "put back", partial(put_back, self._context, waiting))
            await guarded("put back", undo)
            self._context.in_hand.difference_update(one.id for one in waiting)

    async def _claim_singly(self) -> list[Claimed]:
        """Something of one endpoint's cannot be claimed: it takes no other's along."""
        async with self._context.database.reading() as db:
            waiting = await due.endpoints(db, owner=self._context.owner, now=self._context.now())
        claimed: list[Claimed] = []
        for one in waiting:
            own = partial(self._room, only=one.endpoint.id)
            claimed += await guarded("claim one", partial(claim, self._context, own)) or []
        return claimed

    def _room(self, endpoint: Endpoint, *, only: int | None = None) -> int:
        if only is not None and endpoint.id != only:
            return 0
        return endpoint.at_once + endpoint.ahead - self._lanes[endpoint.id].claimed

    def _fill(self, lane: Lane) -> None:
        """Begin what waits, as far as there are places."""
        while lane.waiting and not lane.full:
            one = lane.waiting.popleft()
            sending = partial(self._send, one, busy=len(lane.under_way) + 1 >= lane.places)
            task = asyncio.create_task(guarded("send", sending, failed=partial(self._broke, one)))
            lane.under_way.add(task)
            task.add_done_callback(partial(self._ended, lane))

    def _ended(self, lane: Lane, task: asyncio.Task[None]) -> None:
        lane.under_way.discard(task)
        if lane.stale:
            self._context.bells.deliver.set()  # what has waited for long goes back first
        else:
            self._fill(lane)

    async def _send(self, claimed: Claimed, *, busy: bool) -> None:
        context = self._context
        made = await exchange(
            context,
            claimed.endpoint,
            webhook_id=claimed.webhook_id,
            content_type=claimed.content_type,
            body=claimed.body,
        )
        context.crash.point("send.after")
        ended_at = context.now()
        self._results.put_nowait(Result(claimed=claimed, ended_at=ended_at, exchange=made, busy=busy))
        if not made.well:
            await self._return(self._lanes[claimed.endpoint.id])

    async def _broke(self, claimed: Claimed) -> None:
        """An error of ours ends a try as a failure does, so that there is a last one."""
        ended_at = self._context.now()
        self._results.put_nowait(Result(claimed=claimed, ended_at=ended_at))

    async def _write(self, results: list[Result]) -> None:
        await until_taken("results", partial(record, self._context, results))

    async def _write_singly(self, results: list[Result]) -> None:
        """One of them cannot be recorded: it takes no other along."""
        for result in results:
            bare = partial(self._write, [result.bare()])
            await guarded("record one", partial(self._write, [result]), failed=bare)
