"""What a subject says about its mail."""

import pytest

from app.rules.subject import group_of, split_prefix


@pytest.mark.parametrize(
    "prefix",
    [
        *(
            "Re:",
            "RE :",
            "Fw:",
            "FWD:",
            "Rv:",
            "TR :",
            "Confirmation :",
            "Ré:",
            "Re\u0301 :",
            "AW:",
            "SV:",
            "Antw:",
        ),
        *(
            "Re[2]:",
            "RE[12] :",
            "Re(3):",
            "[EXT] Re:",
            "[EXT][SPAM] Re:",
            "[EXT]Re:",
            "Re: [EXT] Tr :",
            "Re:Fwd:",
        ),
    ],
)
def test_a_reply_is_known_by_its_prefix(prefix: str) -> None:
    assert split_prefix(f"{prefix} Lot 42") == (prefix, "Lot 42")
    assert split_prefix(f"  {prefix.lower()}Lot 42 ") == (prefix.lower(), "Lot 42")


@pytest.mark.parametrize(
    "subject",
    [
        "Lot 42",
        "[EXT] Lot 42",
        "Réf: Lot",
        "Re Lot",
        "Réponse : Lot",
        "Transfert : Lot",
        "Award: x",
        "re",
        ":",
    ],
)
def test_anything_else_is_no_reply(subject: str) -> None:
    assert split_prefix(f"\t{subject} ") == ("", subject)


def test_there_may_be_no_subject() -> None:
    assert split_prefix(None) == ("", "")
    assert group_of(None) == group_of("") == group_of("Re: ")


@pytest.mark.parametrize(
    ("subject", "group"),
    [
        ("MEDIA SOLUTION – missions recadrage – LOT  007", "media_solution_missions_recadrage_lot_007"),
        ("[EXT] Aw: lot 7", "lot_7"),
        ("Pilote lot 7", "lot_7"),
    ],
)
def test_mails_about_one_lot_share_a_group(subject: str, group: str) -> None:
    assert group_of(subject) == group
