"""What becomes of a delivery after a try."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.outcome import REFUSED, SCHEDULE, Answer, Treatment, Word, treat
from tests.rules.cast import MONDAY

YES, NO = json.dumps({"success": True}), json.dumps({"success": False, "message": "not for you"})


def treated(answer: Answer, tries: int = 0, refusals: int = 0, **facts: Any) -> Treatment:  # noqa: ANN401 - any argument
    return treat(answer, tries=tries, refusals=refusals, now=MONDAY, **({"random": 0.5} | facts))


def answered(status: int, body: str = "", **facts: Any) -> Treatment:  # noqa: ANN401 - any argument
    return treated(Answer(status=status, body=body), **facts)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize(
    "body", ["", "ok", YES, "[]", "null", '{"success": null}', '{"success": "false"}', "[" * 65536]
)
def test_a_2xx_is_success(status: int, body: str) -> None:
    assert answered(status, body).state == "sent"


@pytest.mark.parametrize(("status", "body"), [(200, NO), (201, NO), (422, NO), (422, ""), (422, YES)])
def test_a_refusal_is_tried_three_more_times_and_no_failure_of_the_receiver(status: int, body: str) -> None:
    waits = []
    for refusals in range(4):
        treatment = answered(status, body, tries=7, refusals=refusals)
        assert treatment.needs_attention
        assert not treatment.counts_as_failure
        assert treatment.reason.code == "receiver_refused"
        waits.append(treatment.due_at and (treatment.due_at - MONDAY).total_seconds())
    assert waits == [5, 300, 1800, None]
    assert treatment.state == "failed"


def test_what_a_refusing_receiver_says_is_kept_short() -> None:
    assert answered(200, NO).reason.facts == {"status": 200, "message": "not for you"}
    long = answered(422, json.dumps({"success": False, "message": "x" * 999})).reason.facts
    assert len(long["message"]) == 200


@pytest.mark.parametrize("status", [400, 405, 413, 415])
def test_some_answers_are_final(status: int) -> None:
    treatment = answered(status)
    assert (treatment.state, treatment.due_at, treatment.reason.code) == ("failed", None, "bad_status")


@pytest.mark.parametrize("status", [401, 402, 403, 404, 406, 409, 418, 451])
def test_what_people_mend_is_tried_again_and_flagged(status: int) -> None:
    treatment = answered(status)
    assert (treatment.state, treatment.needs_attention, treatment.counts_as_failure) == (
        "pending",
        True,
        True,
    )


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599, 600, 100])
def test_what_passes_by_itself_is_tried_again(status: int) -> None:
    treatment = answered(status)
    assert (treatment.state, treatment.needs_attention, treatment.counts_as_failure) == (
        "pending",
        False,
        True,
    )
    assert treatment.reason.facts == {"status": status}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_that_is_tried_again(status: int) -> None:
    treatment = answered(status)
    assert (treatment.state, treatment.reason.code) == ("pending", "redirect")


def test_a_receiver_that_is_gone_is_parked_and_its_delivery_held() -> None:
    treatment = answered(410)
    assert (treatment.state, treatment.parks_endpoint, treatment.reason.code) == ("held", True, "gone")


@pytest.mark.parametrize(
    "body",
    [
        '{"message": "Access denied by Imunify360 bot-protection."}',
        "<html>Protected by IMUNIFY360</html>",
        "<script src=/.well-known/sgcaptcha/></script>",
    ],
)
def test_a_bot_protection_that_answers_in_place_of_the_receiver_is_a_failure(body: str) -> None:
    treatment = answered(200, body)
    assert (treatment.state, treatment.reason.code) == ("pending", "bot_protection")


def test_a_receiver_that_confirms_may_speak_of_imunify360() -> None:
    assert answered(200, json.dumps({"success": True, "message": "imunify360"})).state == "sent"


@pytest.mark.parametrize("body", ["", "ok", '{"success": 1}', '{"ok": true}', "[true]"])
def test_an_endpoint_may_demand_a_confirmation(body: str) -> None:
    treatment = answered(200, body, require_success=True)
    assert (treatment.state, treatment.reason.code) == ("pending", "not_confirmed")
    assert answered(200, YES, require_success=True).state == "sent"
    assert answered(200, NO, require_success=True).reason.code == "receiver_refused"


@pytest.mark.parametrize("word", [Word.PRIVATE_ADDRESS, Word.BAD_URL, Word.SECRET_UNREADABLE])
def test_what_may_not_be_sent_is_held_for_people(word: Word) -> None:
    treatment = treated(Answer(word=word, detail="why"))
    assert (treatment.state, treatment.needs_attention, treatment.counts_as_failure) == ("held", True, False)
    assert (treatment.reason.code, treatment.reason.facts) == (word.value, {"detail": "why"})


@pytest.mark.parametrize("word", [Word.LOST, Word.UNEXPECTED])
def test_an_error_of_ours_is_tried_again_and_no_fault_of_the_receiver(word: Word) -> None:
    treatment = treated(Answer(word=word))
    assert (treatment.state, treatment.counts_as_failure) == ("pending", False)


@pytest.mark.parametrize("word", [Word.TIMED_OUT, Word.REFUSED, Word.NAME_NOT_FOUND, Word.TLS_FAILED])
def test_a_failure_on_the_way_is_tried_again(word: Word) -> None:
    treatment = treated(Answer(word=word))
    assert (treatment.state, treatment.reason.code, treatment.counts_as_failure) == (
        "pending",
        word.value,
        True,
    )


def test_the_tries_grow_apart_and_end() -> None:
    treatments = [treated(Answer(status=500), tries) for tries in range(len(SCHEDULE) + 1)]
    waits = [(one.due_at - MONDAY).total_seconds() for one in treatments if one.due_at]
    assert waits == list(SCHEDULE) == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert (treatments[-1].state, treatments[-1].needs_attention) == ("failed", True)
    assert SCHEDULE[:3] == REFUSED


def test_a_receiver_has_its_own_schedule() -> None:
    assert treated(Answer(status=500), 0, schedule=[60]).due_at == MONDAY + timedelta(seconds=60)
    assert treated(Answer(status=500), 1, schedule=[60]).state == "failed"


_ANSWERS = st.builds(
    Answer,
    status=st.one_of(st.none(), st.integers(0, 999)),
    body=st.one_of(st.text(), st.just(YES), st.just(NO)),
    retry_after=st.one_of(st.none(), st.text(), st.integers().map(str)),
    word=st.one_of(st.none(), st.sampled_from(Word)),
)


@given(_ANSWERS, st.integers(0, 20), st.integers(0, 20), st.floats(0, 1))
def test_every_answer_has_a_treatment(answer: Answer, tries: int, refusals: int, random: float) -> None:
    treatment = treated(answer, tries, refusals, random=random)
    assert treatment.state in {"sent", "pending", "failed", "held"}
    assert (treatment.state == "pending") is (treatment.due_at is not None)
    assert treatment.due_at is None or treatment.due_at > MONDAY
    assert treatment.state == "sent" or Word(treatment.reason.code)
