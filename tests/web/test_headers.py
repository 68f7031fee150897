"""Headers on every answer, whatever it answers."""

from httpx2 import Response

from tests.web.client import Site
from tests.web.test_gate import places

WANTED = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def test_every_answer_to_a_stranger_has_them(site: Site) -> None:
    async with site.browser() as browser:
        for method, path in [*places(), ("GET", "/nowhere"), ("PUT", "/login"), ("POST", "/health")]:
            answer = await browser.request(method, path)
            assert wanted_of(answer) == WANTED, f"{method} {path}"
            assert "server" not in answer.headers


async def test_every_answer_to_an_operator_has_them_and_is_kept_nowhere(site: Site) -> None:
    async with site.signed_in() as browser:
        for method, path in [*places(), ("GET", "/nowhere"), ("PUT", "/messages")]:
            if path in {"/events", "/logout"}:
                continue
            answer = await browser.request(method, path)
            assert wanted_of(answer) == WANTED, f"{method} {path}"
            if not path.startswith("/static"):
                assert answer.headers["Cache-Control"] == "no-store", f"{method} {path}"


async def test_refusals_of_every_layer_have_them(site: Site) -> None:
    async with site.browser() as browser:
        too_large = await browser.post("/login", data={"password": "x" * 70_000})
        cross_site = await browser.post("/login", headers={"Origin": "https://evil.example"})
        await site.break_table("setting")
        broken = await browser.get("/login")
    answers = (too_large, cross_site, broken)
    assert [answer.status_code for answer in answers] == [413, 403, 500]
    assert all(wanted_of(answer) == WANTED for answer in answers)


async def test_a_static_file_asked_for_by_its_version_is_kept_for_good(site: Site) -> None:
    async with site.browser() as browser:
        page = (await browser.get("/login")).text
        sheet = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
        path, _, version = sheet.partition("?v=")
        assert version
        assert (await browser.get(sheet)).headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert (await browser.get(path)).headers["Cache-Control"] == "no-cache"
        assert (await browser.get(f"{path}?v=older")).headers["Cache-Control"] == "no-cache"
        for outside in ("/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static/none.css"):
            assert (await browser.get(outside)).status_code in {303, 404}


def wanted_of(answer: Response) -> dict[str, str]:
    return {name: answer.headers.get(name, "") for name in WANTED}
