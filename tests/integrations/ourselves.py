"""Posts to a public address that is this machine's own; for a network in which there is such a one."""

import asyncio
import json
import sys

from app.integrations.network import Gate
from app.integrations.webhook import DeliveryError, Target, Webhooks
from tests.servers import Sink

ADDRESS = "93.184.215.14"


async def _answer(gate: Gate, url: str) -> tuple[int | str, str]:
    posting = Webhooks(gate)
    try:
        return (await posting.post(Target(key=1, url=url), b"{}", {}, 10)).status, ""
    except DeliveryError as error:
        return error.reason, error.detail
    finally:
        await posting.aclose()


async def _tried() -> list[tuple[int | str, int | str]]:
    """Say what came of an address that nobody allows, of one of our own ports, and of one that is allowed."""
    with Sink(host=ADDRESS) as sink:
        unlisted = await _answer(Gate(), sink.url.replace("http:", "https:"))
        own = await _answer(Gate(ADDRESS, closed={sink.port}), sink.url)
        status, _ = await _answer(Gate(sink.address), sink.url)
        return [unlisted, own, (status, len(sink.seen))]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_tried())))
