"""The demo's receiver, called with the standard's own library."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx2
from standardwebhooks.webhooks import Webhook

from app.demo.receiver import Receiver
from app.demo.samples import STUMBLES_OVER
from app.demo_ports import HOST
from app.integrations.signature import new_secret

NOW = datetime(2026, 11, 22, 13, 12, tzinfo=UTC)  # 14h12 in Paris


class Sender:
    def __init__(self, client: httpx2.AsyncClient, secret: str) -> None:
        self.client = client
        self.secret = secret

    async def send(
        self, payload: object, webhook_id: str = "msg_1", at: datetime = NOW, *, secret: str = ""
    ) -> int:
        body = json.dumps(payload, ensure_ascii=False)
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret or self.secret).sign(webhook_id, at, body),
        }
        return (await self.client.post("/hook", content=body.encode(), headers=headers)).status_code


@asynccontextmanager
async def a_receiver() -> AsyncIterator[tuple[Receiver, Sender]]:
    secret = new_secret()

    async def secrets() -> list[str]:
        return [new_secret(), secret]

    receiver = Receiver(secrets, ZoneInfo("Europe/Paris"), lambda: NOW)
    at = socket.create_server((HOST, 0))
    url = f"http://{HOST}:{at.getsockname()[1]}"
    async with receiver.serving(at), httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        yield receiver, Sender(client, secret)


async def test_the_receiver_takes_what_is_signed_with_its_secret_and_nothing_else() -> None:
    async with a_receiver() as (receiver, sender):
        assert await sender.send({"subject": "Été"}) == 200
        assert await sender.send({"subject": "Été"}, secret=new_secret()) == 401
        assert await sender.send({"subject": "Été"}, at=NOW - timedelta(minutes=6)) == 401
        assert (await sender.client.post("/hook", content=b"{}")).status_code == 401
        assert (await sender.client.post("/hook", headers={"webhook-timestamp": "9" * 30})).status_code == 401
    assert [call.signed for call in receiver.calls] == [False, False, False, False, True]


async def test_the_receiver_refuses_large_files_at_the_first_try_only() -> None:
    async with a_receiver() as (receiver, sender):
        large = {"subject": f"Captation ({STUMBLES_OVER})"}
        answers = [
            await sender.send(large, "msg_1"),
            await sender.send({}, "msg_2"),
            await sender.send(large, "msg_1"),
        ]
    assert answers == [500, 200, 200]
    assert [call.attempt for call in receiver.calls] == [2, 1, 1]


async def test_the_receivers_page_shows_the_newest_first_and_runs_nothing() -> None:
    async with a_receiver() as (_, sender):
        await sender.send(
            {"subject": "<script>alert(1)</script>", "delivery_links": "none", "detector": ["odd"]}
        )
        links = [{"provider": "fromsmash", "raw_url": "https://fromsmash.com/a&b"}]
        await sender.send({"subject": "Lot 7", "delivery_time": "14h30", "delivery_links": links}, "msg_2")
        page = await sender.client.get("/")
        opened = await sender.client.get("/", params={"open": "1"})
        style = await sender.client.get("/page.css")

    assert page.text.index("Lot 7") < page.text.index("&lt;script&gt;")
    assert "<script" not in page.text + opened.text
    assert "style=" not in page.text
    for shown in (
        "14h12:00",
        "wanted 14h30",
        "https://fromsmash.com/a&amp;b",
        "signature right",
        "answered 200",
    ):
        assert shown in page.text
    assert 'http-equiv="refresh"' in page.text
    assert 'http-equiv="refresh"' not in opened.text, "it stands still while somebody reads"
    assert "<pre>" in opened.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert style.headers["content-type"].startswith("text/css")
