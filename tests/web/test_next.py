"""Where a reader is sent after signing in: to a page of ours, or to the first one."""

import pytest

from app.routes import ROUTES
from app.web.addresses import safe_next
from tests.web.client import PASSWORD, Site

PAGES = [
    "/",
    "/messages",
    "/messages/12",
    "/deliveries?state=failed&before=12",
    "/deliveries/7",
    "/messages?q=%C3%A9t%C3%A9",
]
ELSEWHERE = [
    "",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/%5cevil.example",
    "/%2f%2fevil.example",
    "/%2F/evil.example",
    "https://evil.example",
    "https:evil.example",
    "HTTPS://evil.example/messages",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "messages",
    "./messages",
    "@evil.example",
    "/@evil.example/x",
    "?next=/",
    " /messages",
    "/ /evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/messages\r\nSet-Cookie: session=x",
    "/messages\x00",
    "/messages\x7f",
    "/messages#https://evil.example",
    "/messages\u2028",
    "/méssages",
    "/messages/../..//evil.example",
    "/messages/one",
    "/messages//",
    "/nowhere",
    "/login",
    "/login?next=//evil.example",
    "/login/magic/token",
    "/logout",
    "/events",
    "/health",
    "/polls",
    "/api/ping",
    "/api/invariants",
    "/static/app.css",
    "/messages/" + "1" * 3000,
]


@pytest.mark.parametrize("wanted", PAGES)
def test_a_page_of_ours_is_kept(wanted: str) -> None:
    assert safe_next(ROUTES, wanted) == wanted


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_everything_else_is_the_first_page(wanted: str) -> None:
    assert safe_next(ROUTES, wanted) == "/"


async def test_the_form_carries_it_and_the_answer_obeys(site: Site) -> None:
    await site.set_password()
    async with site.browser() as browser:
        assert (
            'value="/deliveries?state=failed"'
            in (await browser.get("/login?next=/deliveries%3Fstate%3Dfailed")).text
        )
        for wanted, sent_to in (
            ("/deliveries?state=failed", "/deliveries?state=failed"),
            ("//evil.example", "/"),
        ):
            form = {"username": "ada", "password": PASSWORD, "next": wanted}
            assert (await browser.post("/login", data=form)).headers["Location"] == sent_to


async def test_a_strange_host_gets_into_no_link(site: Site) -> None:
    async with site.browser(Host="evil.example") as browser:
        for path in ("/", "/login", "/login/", "/static", "/messages/", "/login/magic/x"):
            answer = await browser.get(path)
            assert "evil.example" not in answer.text + str(answer.headers)
