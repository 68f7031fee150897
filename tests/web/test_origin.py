"""Writes that another site makes a browser send are refused."""

from pathlib import Path

from tests.web.client import Site, running

OURS = "http://{host}"


WRITES = [
    ({}, True),
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": ""}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": OURS}, False),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, True),
    ({"Origin": OURS}, True),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": ""}, False),
    ({"Origin": "http://["}, False),
    ({"Origin": OURS + ".evil.example"}, False),
    ({"Origin": "http://evil.example@{host}"}, False),
    ({"Origin": "http://127.0.0.1:1"}, False),
]


async def test_a_write_passes_only_from_our_own_pages(site: Site) -> None:
    host = f"127.0.0.1:{site.config.port}"
    for headers, passes in WRITES:
        async with site.signed_in() as browser:
            sent = {name: value.format(host=host) for name, value in headers.items()}
            answer = await browser.post("/logout", headers=sent)
            assert answer.status_code == (303 if passes else 403), headers
            assert (await browser.get("/api/invariants")).status_code == (401 if passes else 200), headers


async def test_no_write_is_exempt(site: Site) -> None:
    async with site.browser(**{"Sec-Fetch-Site": "cross-site"}) as browser:
        for path in ("/login", "/login/magic/x", "/logout", "/polls", "/nowhere"):
            assert (await browser.post(path)).status_code == 403


async def test_a_program_is_told_in_json(site: Site) -> None:
    async with site.browser(Origin="https://evil.example") as browser:
        answer = await browser.post("/api/check_emails_and_download")
    assert (answer.status_code, answer.json()["success"]) == (403, False)


async def test_reading_from_elsewhere_is_no_write(site: Site) -> None:
    async with site.signed_in(**{"Sec-Fetch-Site": "none"}) as browser:
        answer = await browser.get("/api/invariants", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


async def test_behind_a_proxy_the_origin_is_the_base_url(database_url: str, tmp_path: Path) -> None:
    https = {"base_url": "https://signal.example.org", "app_secret_key": "k" * 32}
    async with running(database_url, tmp_path, **https) as site, site.browser(Host="10.0.0.7") as browser:
        ours = await browser.post("/login/magic/x", headers={"Origin": "https://signal.example.org"})
        named = await browser.post("/login/magic/x", headers={"Origin": "http://10.0.0.7"})
    assert (ours.status_code, named.status_code) == (410, 403)
