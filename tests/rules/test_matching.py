"""What each kind of condition holds for, and what it says it saw."""

from itertools import product

import pytest

from app.rules.condition import OPERATORS, Condition, Field, Operator
from app.rules.mail import Mail
from app.rules.pattern import READ
from app.rules.verdict import Mark
from app.rules.words import say
from tests.rules.cast import FOLDER, LOT_42, MISSION, a_mail
from tests.rules.conditions import answer, asks

MEGABYTE = 1024 * 1024

NEWS = a_mail(
    "Réunion de rentrée",
    "Bonjour Zoé,\n\nla réunion est à 9h.",
    recipients=("ann@example.com", "bob@example.org"),
    headers={"list-id": ("<news.example.com>",), "received": ("by one", "by two")},
    mailbox="Boîte de Zoé",
    size=2 * MEGABYTE,
    attachments=2,
)
BARE = a_mail("", "", sender="", size=1)
MISSION_MAIL = a_mail(LOT_42, MISSION)
REQUEST = a_mail("Lots", "https://www.dropbox.com/request/abc")


def told(mail: Mail, condition: Condition) -> tuple[bool, str]:
    """Whether a condition holds, and what it says it saw."""
    (step,) = answer(mail, condition).steps
    assert say(step.reason)
    assert step.mark in {Mark.PASSED, Mark.STOPPED}
    assert (step.reason.code == "condition_met") is (step.mark is Mark.PASSED)
    return step.mark is Mark.PASSED, step.reason.facts["saw"]


def test_what_is_missing_is_not_said_to_be_there() -> None:
    (step,) = answer(BARE, asks("link present")).steps
    assert say(step.reason) == "Not found: Delivery link"
    (step,) = answer(NEWS, asks("list-id not present")).steps
    assert say(step.reason) == "Found, though it must not be there: list-id; seen: “<news.example.com>”"


TABLE = [
    (asks("sender contains", "EXAMPLE"), NEWS, True, "ann@example.com"),
    (asks("sender equals", "Ann@Example.com"), NEWS, True, "ann@example.com"),
    (asks("sender equals", "ann@example"), NEWS, False, "ann@example.com"),
    (asks("sender starts", "ann@"), NEWS, True, "ann@example.com"),
    (asks("sender ends", "@example.com"), NEWS, True, "ann@example.com"),
    (asks("sender ends", "@example.org"), NEWS, False, "ann@example.com"),
    (asks("sender matches", "^ann@.*[.]com$"), NEWS, True, "ann@example.com"),
    (asks("sender one_of", "bob@example.com", "ann@example.com"), NEWS, True, "ann@example.com"),
    (asks("sender one_of", "bob@example.com", "eve@example.com"), NEWS, False, "ann@example.com"),
    (asks("sender contains", "@"), BARE, False, ""),
    (asks("recipient contains", "bob"), NEWS, True, "bob@example.org"),
    (asks("recipient equals", "BOB@example.org"), NEWS, True, "bob@example.org"),
    (asks("recipient starts", "eve"), NEWS, False, "ann@example.com, bob@example.org"),
    (asks("recipient ends", ".org"), NEWS, True, "bob@example.org"),
    (asks("recipient matches", "^b"), NEWS, True, "bob@example.org"),
    (asks("recipient one_of", "eve@example.com", "bob@example.org"), NEWS, True, "bob@example.org"),
    (asks("recipient contains", "@"), BARE, False, ""),
    (asks("subject contains", "rentree"), NEWS, True, "Réunion de rentrée"),
    (asks("subject equals", "reunion  de RENTRÉE"), NEWS, True, "Réunion de rentrée"),
    (asks("subject starts", "de"), NEWS, False, "Réunion de rentrée"),
    (asks("subject ends", "rentrée"), NEWS, True, "Réunion de rentrée"),
    (asks("subject matches", r"reunion\s"), NEWS, True, "Réunion de rentrée"),
    (asks("subject one_of", "fête", "réunion de rentrée"), NEWS, True, "Réunion de rentrée"),
    (asks("subject equals", "fête"), BARE, False, ""),
    (asks("text contains", "zoe, la reunion"), NEWS, True, "Bonjour Zoé, la réunion est à 9h."),
    (asks("text equals", "bonjour"), NEWS, False, "Bonjour Zoé, la réunion est à 9h."),
    (asks("text starts", "bonjour"), NEWS, True, "Bonjour Zoé, la réunion est à 9h."),
    (asks("text ends", "a 9h."), NEWS, True, "Bonjour Zoé, la réunion est à 9h."),
    (asks("text matches", r"\d+h"), NEWS, True, "Bonjour Zoé, la réunion est à 9h."),
    (asks("text one_of", "bonjour"), NEWS, False, "Bonjour Zoé, la réunion est à 9h."),
    (asks("mailbox equals", "boite de zoe"), NEWS, True, "Boîte de Zoé"),
    (asks("mailbox one_of", "autre"), NEWS, False, "Boîte de Zoé"),
    (asks("mailbox matches", "^Boîte"), NEWS, True, "Boîte de Zoé"),
    (asks("list-id present"), NEWS, True, "<news.example.com>"),
    (asks("List-ID present"), NEWS, True, "<news.example.com>"),
    (asks("x-spam present"), NEWS, False, ""),
    (asks("received present"), NEWS, True, "by one, by two"),
    (asks("received equals", "by two"), NEWS, True, "by two"),
    (asks("received ends", "three"), NEWS, False, "by one, by two"),
    (asks("received matches", "t(?P<n>wo)"), NEWS, True, "by two"),
    (asks("received one_of", "by three", "by one"), NEWS, True, "by one"),
    (asks("x-spam contains", "yes"), NEWS, False, ""),
    (asks("attachment present"), NEWS, True, "2"),
    (asks("attachment present"), BARE, False, "0"),
    (asks("link present"), MISSION_MAIL, True, "dropbox"),
    (asks("link present"), NEWS, False, ""),
    (asks("link present"), REQUEST, False, ""),  # somebody asks for files, and brings none
    (asks("link one_of", "wetransfer", "dropbox"), MISSION_MAIL, True, "dropbox"),
    (asks("link one_of", "wetransfer"), MISSION_MAIL, False, "dropbox"),
    (
        asks("link one_of", "wetransfer"),
        a_mail("", f"{FOLDER} https://we.tl/t-1"),
        True,
        "dropbox, wetransfer",
    ),
    (asks("size larger", "1.9"), NEWS, True, "2.00"),
    (asks("size larger", "2"), NEWS, False, "2.00"),
    (asks("size smaller", "2"), NEWS, False, "2.00"),
    (asks("size smaller", "2.1"), NEWS, True, "2.00"),
    (asks("size larger", "0"), BARE, True, "0.00"),
]


@pytest.mark.parametrize(("condition", "mail", "holds", "saw"), TABLE)
def test_a_condition_says_whether_it_holds_and_what_it_saw(
    condition: Condition, mail: Mail, *, holds: bool, saw: str
) -> None:
    assert told(mail, condition) == (holds, saw)
    opposite = Condition.from_json({**condition.to_json(), "negated": True})
    assert told(mail, opposite) == (not holds, saw)


def test_every_operator_of_every_field_is_in_the_table() -> None:
    asked = {(condition.field, condition.operator) for condition, *_ in TABLE}
    known = {(field, operator) for field, operators in OPERATORS.items() for operator in operators}
    detector = {(Field.DETECTOR, Operator.EQUALS)}
    of_text = set(product([Field.MAILBOX, Field.HEADER], OPERATORS[Field.SUBJECT]))  # looked at alike
    assert known - asked <= detector | of_text


@pytest.mark.parametrize("field", ["sender", "recipient", "subject", "text", "x-note", "mailbox"])
@pytest.mark.parametrize("operator", OPERATORS[Field.TEXT])
def test_an_exact_condition_tells_case_and_accents_apart(field: str, operator: Operator) -> None:
    written = "Zoé à  Évry"
    mail = a_mail(
        written,
        written,
        sender=written,
        mailbox=written,
        recipients=(written,),
        headers={"x-note": (written,)},
    )

    def holds(value: str, **more: bool) -> bool:
        wanted = value.replace(" ", r"\s+") if operator is Operator.MATCHES else value
        return told(mail, asks(f"{field} {operator}", wanted, **more))[0]

    assert holds("ZOE A EVRY")
    assert holds("Zoé à Évry", exact=True)
    assert not holds("zoé à évry", exact=True)
    assert not holds("Zoe a Evry", exact=True)


def test_what_is_not_found_to_the_letter_says_that_case_and_accents_count() -> None:
    def line(asked: str = "subject contains", **more: bool) -> str:
        (step,) = answer(a_mail("facture 12", ""), asks(asked, "Facturé", **more)).steps
        return say(step.reason)

    assert line(exact=True) == "No: Subject contains “Facturé” (case and accents count); seen: “facture 12”"
    assert "does not contain “Facturé” (case and accents count)" in line("subject not contains", exact=True)
    assert line() == "Subject contains “Facturé”; seen: “facture 12”"


def test_a_pattern_that_did_not_read_all_of_a_text_says_so() -> None:
    def line(text: str, pattern: str, **more: bool) -> str:
        (step,) = answer(a_mail("", text), asks("text matches", pattern, **more)).steps
        return say(step.reason)

    short, long = "y" * READ, "y" * READ + "x"
    assert "(only the first 256 kB of so long a text are read)" in line(long, "x")
    assert "accents count and only the first 256 kB" in line(long, "x", exact=True)
    assert "only the first 9 kB" in line(short, "z{1000}" * 7)
    assert "only the first" not in line(short, "x")
    assert "only the first" not in line(long, "y")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("RÉUNION", "reunion"),
        ("œuvre", "OEUVRE"),
        ("Ægir", "aegir"),
        ("straße", "STRASSE"),
        ("ﬁchier", "fichier"),
        ("cafe\u0301", "café"),
        ("cafe\u0301", "cafe"),
        ("lot\u00a042", "lot 42"),
        ("14\u202fh", "14 h"),
        ("so\u00adft\u200bware", "software"),
        ("İstanbul", "istanbul"),
        ("l’offre", "l'offre"),
        ("Ёлка", "елка"),
    ],
)
def test_two_spellings_of_one_word_are_one(one: str, other: str) -> None:
    for written, wanted in ((one, other), (other, one)):
        mail, shown = a_mail(f"Avec {written} dedans", f"{written}\n"), " ".join(written.split())
        assert told(mail, asks("subject contains", f"avec {wanted} DEDANS")) == (True, f"Avec {shown} dedans")
        assert told(mail, asks("subject matches", rf"{wanted}\sdedans")) == (True, f"Avec {shown} dedans")
        assert told(mail, asks("text equals", wanted)) == (True, shown)


@pytest.mark.parametrize("blanks", ["  ", "\n", "\r\n\t", "\u00a0\u00a0", " \u200b "])
def test_any_blanks_are_one_but_to_a_pattern(blanks: str) -> None:
    mail = a_mail(f"{blanks}Lot{blanks}42{blanks}")
    assert told(mail, asks("subject equals", "lot 42"))[0]
    assert told(mail, asks("subject starts", " Lot   42 "))[0]
    assert not told(mail, asks("subject matches", "^lot 42$"))[0]
    assert told(mail, asks("subject matches", r"^\s*lot\s+42\s*$"))[0]


def test_what_is_seen_is_what_stands_around_the_place() -> None:
    mail = a_mail("", f"{'avant ' * 40}ici la facture 12{' après' * 40}")
    seen = f"…{('avant ' * 7)[3:]}ici la facture 12"
    for condition in (
        asks("text contains", "FACTURE"),
        asks("text contains", "facture", exact=True),
        asks("text matches", r"facture (?P<number>\d+)"),
    ):
        holds, saw = told(mail, condition)
        assert holds
        assert seen[10:] in saw
        assert len(saw) <= 122
        assert (saw[0], saw[-1]) == ("…", "…")


@pytest.mark.parametrize(
    "before", ["\u200c\u00a0" * 300, "e\u0301" * 300, "œ" * 300, "  \n" * 300, "🙂" * 300]
)
def test_the_place_is_found_behind_characters_that_count_otherwise(before: str) -> None:
    mail = a_mail("", f"{before} le mot cherché{' fin' * 60}")
    for condition in (asks("text contains", "CHERCHE"), asks("text matches", "cherche")):
        holds, saw = told(mail, condition)
        assert holds
        assert "le mot cherché fin fin" in saw


def test_a_long_text_is_shown_from_its_first_word() -> None:
    holds, saw = told(a_mail("", "\n \n" * 100 + "Bonjour" + " à tous" * 50), asks("text contains", "rien"))
    assert not holds
    assert saw.startswith("Bonjour à tous")
    assert saw.endswith("…")


def test_a_long_list_of_values_is_cut_in_the_explanation() -> None:
    (step,) = answer(
        NEWS, asks("sender one_of", *(f"person{number}@example.com" for number in range(50)))
    ).steps
    assert len(step.reason.facts["value"]) == 120
