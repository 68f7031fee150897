"""The catalogue: everything a page may say has its French."""

from pathlib import Path
from string import Formatter

from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}


def said() -> set[str]:
    """Every sentence marked in the templates and in the code."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(str(ROOT), methods, options, keywords=KEYWORDS, directory_filter=_ours)
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}


def french() -> dict[str, Message]:
    with (ROOT / "locale/fr/LC_MESSAGES/messages.po").open("rb") as file:
        return {
            message.id if isinstance(message.id, str) else message.id[0]: message
            for message in read_po(file)
            if message.id
        }


def test_every_sentence_has_its_french() -> None:
    translated = {text for text, message in french().items() if all(_forms(message)) and not message.fuzzy}
    assert said() - translated == set()


def test_the_catalogue_holds_nothing_that_nobody_says() -> None:
    assert set(french()) - said() == set()


def test_a_translation_names_no_fact_that_its_sentence_does_not_know() -> None:
    for text, message in french().items():
        if "%" not in text:
            assert all(_facts(form) <= _facts(text) for form in _forms(message)), text


def _forms(message: Message) -> list[str]:
    """The translation, or its singular and plural."""
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string or ""]


def _facts(text: str) -> set[tuple[str, str | None]]:
    return {(name, shape) for _, name, shape, _ in Formatter().parse(text) if name}


def _ours(folder: str) -> bool:
    return Path(folder).name in {"app", "templates"} or bool(
        {"app", "templates"} & set(Path(folder).relative_to(ROOT).parts)
    )
