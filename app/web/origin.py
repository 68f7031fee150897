"""Refuses writes that another site makes a browser send, by the browser's own word; no token in any form.

The way of Go 1.25's http.CrossOriginProtection: `Sec-Fetch-Site`, else `Origin`. A program sends neither and
passes: it has no cookie that somebody else could use.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.errors import show_error
from app.web.state import Request

SAFE = {"GET", "HEAD", "OPTIONS"}


class SameOriginWrites:
    def __init__(self, app: ASGIApp, *, base_url: str) -> None:
        self.app = app
        self.own = _origin(base_url) if base_url else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE or self._ours(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        await show_error(Request(scope), 403)(scope, receive, send)

    def _ours(self, headers: Headers) -> bool:
        site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
        if site is not None:
            return site in {"same-origin", "none"}
        if origin is None:
            return True
        host = headers.get("Host", "").lower()
        return origin.lower() in ({self.own} if self.own else {f"http://{host}", f"https://{host}"})


def _origin(url: str) -> str:
    """Give it as a browser writes it: without the port that goes without saying."""
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc}".removesuffix(":443" if parts.scheme == "https" else ":80")
