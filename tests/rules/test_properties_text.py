"""What holds of whatever reads a text (links, subjects, addresses, times, answers), and of what is sent."""

import json
import re
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules import deadline, identity, links
from app.rules.group import GroupKey, key_of
from app.rules.outcome import SCHEDULE, Answer, Word, treat
from app.rules.payload import Facts, build, encode
from app.rules.quoted import without_quoted_headers
from app.rules.sender import bare_address, is_listed
from app.rules.settings import Settings
from app.rules.subject import group_of, split_prefix
from app.rules.text import normalise
from app.rules.words import say
from tests.rules.cast import MONDAY, a_mail, preset

many = settings(deadline=None, max_examples=150)

# Also what no mail should have: half a surrogate pair, controls, marks without a letter.
anything = st.text(st.characters(exclude_categories=()))
PREFIXES = ("Re:", "RE :", "Fwd: ", "TR :", "[EXT] ", "[EXT]Aw: ", "Re[2]:", "Ré : ", "Confirmation : ")
WORDS = (
    "Lot 42",
    "lot  007",
    "Média Solution - Missions Recadrage - ",
    "Réf",
    "ﬀ",
    "İ",
    "ΑΣ",
    ":",
    " ",
    "\u200b",
)
subjects = st.lists(st.one_of(st.sampled_from(PREFIXES + WORDS), anything), max_size=5).map("".join)

# As it stands in a mail, and as a person reads it.
PIECES = (
    *[(host, host) for host in ("https://www.dropbox.com/", "HTTP://we.tl/", "https://fromsmash.com:443/")],
    *[(link, link) for link in ("https://www.dropbox.com/scl/fo/abc", "https://drive.google.com/file/d/x")],
    *[
        (tail, tail)
        for tail in ("a", "b/c", "?dl=0", "&x=1", "request/", "ms.png?raw=1", "%C3", "é", "\u00a0")
    ],
    *[
        (mark, mark)
        for mark in ("(", ")", "'", '"', "<", ">", ".", ",", "[", "]", "*", "\\", " ", "\n", "\x00")
    ],
    *[("&amp;", "&"), ("&lt;", "<"), ("&quot;", '"'), ("&#x2F;", "/"), ("&#39;", "'"), ("&nbsp;", "\u00a0")],
)
mails = st.lists(st.sampled_from(PIECES), max_size=12)

texts_in_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@many
@given(mails)
def test_links_are_pieces_of_the_text_as_it_is_read(pieces: list[tuple[str, str]]) -> None:
    text = "".join(read for _, read in pieces)
    found = links.extract("".join(written for written, _ in pieces))
    assert all(link.raw_url in text for link in found)
    assert all(links.provider_of(link.raw_url) == link.provider for link in found)
    assert len({link.key for link in found}) == len({link.raw_url for link in found}) == len(found)


@many
@given(mails)
def test_links_read_again_are_the_same_links(pieces: list[tuple[str, str]]) -> None:
    found = links.extract("".join(written for written, _ in pieces))
    assert links.extract("\n".join(link.raw_url for link in found)) == found


@many
@given(st.one_of(st.none(), anything))
def test_any_text_has_its_links_few_or_none(text: str | None) -> None:
    assert len(links.extract(text)) <= (text or "").lower().count("://")


@many
@given(subjects)
def test_a_subject_without_its_prefixes_has_none(subject: str) -> None:
    prefix, core = split_prefix(subject)
    assert split_prefix(core) == ("", core)
    assert "".join((prefix + core).split()) == "".join(subject.split())


@many
@given(subjects)
def test_a_text_made_plain_is_plain(text: str) -> None:
    plain = normalise(text)
    assert normalise(plain) == plain == plain.strip()
    assert normalise(f"  {text}\n") == plain


@many
@given(subjects, st.sampled_from(["Re: ", "TR : ", "[EXT] Fwd: "]))
def test_a_reply_is_about_what_its_mail_is_about(subject: str, prefix: str) -> None:
    group = group_of(subject)
    assert group_of(prefix + subject) == group_of(normalise(subject)) == group
    assert re.fullmatch(r"(media_solution_missions_recadrage_)?lot_[0-9]+|subject_hash_[0-9a-f]{32}", group)


@many
@given(
    subject=subjects,
    group=st.sampled_from(["none", "month", "days:1", "days:400"]),
    master=st.booleans(),
    seconds=st.integers(0, 10**9),
)
def test_a_mail_and_its_reply_count_as_one(*, subject: str, group: str, master: bool, seconds: int) -> None:
    arrived = MONDAY + timedelta(seconds=seconds)
    rule, setting = preset(2, group=group), Settings(group_dedup=master)

    def key(subject: str) -> GroupKey | None:
        mail = a_mail(subject, arrived_at=arrived)
        return key_of(mail=mail, rule=rule, settings=setting, now=arrived)

    assert key(subject) == key(f"Re: {subject}")
    assert (key(subject) is None) is (group == "none" or not master)


@many
@given(anything)
def test_an_address_is_found_again_in_itself(header: str) -> None:
    address = bare_address(header)
    assert bare_address(address) == address == address.lower()
    assert not address or is_listed(address, {f" {address}"})


@many
@given(
    st.lists(st.one_of(st.sampled_from(["le ", "31/02", "9h", ":", "à faire pour ", "midi"]), anything)).map(
        "".join
    )
)
def test_a_time_is_one_that_exists_or_none(text: str) -> None:
    found = deadline.find(deadline.searchable(text), date(2025, 10, 13))
    clock = r"([01][0-9]|2[0-3])h[0-5][0-9]"
    assert found is None or re.fullmatch(rf"(le [0-3][0-9]/[01][0-9]/[0-9]{{4}} à )?{clock}", found)


@many
@given(anything)
def test_what_is_not_quoted_stays_line_by_line(text: str) -> None:
    lines = iter(text.splitlines())
    assert all(line in lines for line in without_quoted_headers(text).splitlines())


@many
@given(anything, anything, st.binary())
def test_every_mail_has_names_of_one_form(message_id: str, text: str, raw: bytes) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", identity.email_id(message_id, text, None))
    assert re.fullmatch(r"[0-9a-f]{64}", identity.digest(message_id, text, raw))


@many
@given(st.dictionaries(anything, st.one_of(anything, st.lists(anything), texts_in_json)))
def test_what_is_sent_is_json_in_utf_8(body: dict[str, Any]) -> None:
    assert isinstance(json.loads(encode(body).decode("utf-8")), dict)


@many
@given(st.dictionaries(st.text(max_size=8), texts_in_json))
def test_what_is_sent_is_read_as_it_was_meant(body: dict[str, Any]) -> None:
    assert json.loads(encode(body)) == body


@many
@given(anything, st.one_of(st.none(), anything), mails)
def test_a_body_is_made_of_any_mail(subject: str, content: str | None, pieces: list[tuple[str, str]]) -> None:
    found = links.extract("".join(written for written, _ in pieces))
    facts: Facts = {
        "email_id": "e1",
        "subject": subject,
        "date_header": content,
        "sender_header": content,
        "sender": content,
        "content": content,
        "detector": None,
        "delivery_time": None,
        "window_start": None,
        "window_end": None,
        "links": [{"provider": link.provider, "raw_url": link.raw_url} for link in found],
    }
    body = build(**facts)
    assert json.loads(encode(body)).keys() == body.keys()
    assert ("delivery_links" in body) is bool(found)
    assert set(body["dropbox_urls"]) <= {link.raw_url for link in found}


@many
@given(
    st.one_of(st.none(), st.integers(0, 999)),
    st.one_of(
        anything,
        texts_in_json.map(json.dumps),
        st.fixed_dictionaries({"success": texts_in_json, "message": st.one_of(texts_in_json, anything)}).map(
            json.dumps
        ),
    ),
    st.one_of(st.none(), st.sampled_from(Word)),
    st.integers(0, 20),
)
def test_every_answer_is_treated_and_put_into_words(
    status: int | None, body: str, word: Word | None, tries: int
) -> None:
    answer = Answer(status=status, body=body, retry_after=body, word=word, detail=body[:20])
    treatment = treat(answer, tries=tries, refusals=tries, now=MONDAY, random=0.5)
    assert treatment.state in {"sent", "pending", "failed", "held"}
    assert treatment.state != "sent" or (word is None and 200 <= (status or 0) < 300)
    assert (treatment.due_at is None) or (tries < len(SCHEDULE) and treatment.due_at > MONDAY)
    assert say(treatment.reason)
    assert encode(treatment.reason.to_json())
