"""Static files: kept for good by a browser that asked for them by their version."""

import hashlib
from functools import cache
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.web.places import STATIC


class VersionedFiles(StaticFiles):
    def __init__(self) -> None:
        super().__init__(directory=STATIC, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v")
        current = response.status_code < 400 and asked == [version(path)]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        return response


@cache
def version(path: str) -> str:
    """Give the fingerprint of a file that is known to exist."""
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]
