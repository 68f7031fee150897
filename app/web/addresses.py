"""Which route an address leads to, and which addresses a reader may be sent to."""

from collections.abc import Sequence
from urllib.parse import unquote

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

LONGEST = 2000
NO_PAGES = {"", "events", "health", "login", "login-link", "static"}


def route_name(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """Name the route that will answer, found as the router finds it; "" when there is none."""
    return _find(routes, scope, Match.FULL) or _find(routes, scope, Match.PARTIAL)


def safe_next(routes: Sequence[BaseRoute], text: str) -> str:
    """Give back the address of a page of ours, or of the first page for everything that is not surely one."""
    path, _, _ = text.partition("?")
    well_formed = (
        len(text) <= LONGEST
        and text.startswith("/")
        and not text.startswith(("//", "/api/"))
        and all("!" <= letter <= "~" and letter not in "\\#" for letter in text)
    )
    if not well_formed:
        return "/"
    scope = {"type": "http", "method": "GET", "path": unquote(path), "root_path": "", "headers": []}
    return text if _find(routes, scope, Match.FULL) not in NO_PAGES else "/"


def _find(routes: Sequence[BaseRoute], scope: Scope, wanted: Match) -> str:
    found = (route for route in routes if route.matches(scope)[0] is wanted)
    return getattr(next(found, None), "name", "")
