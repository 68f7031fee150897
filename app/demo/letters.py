"""The texts of the sample mails. The people, the firm and the files are made up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

LARGE_FILES = "gros fichiers"

CLAIRE = Address("Claire Fontaine", addr_spec="claire.fontaine@example.org")
HUGO = Address("Hugo Béranger", addr_spec="hugo.beranger@example.com")
INES = Address("Inès Marchand", addr_spec="ines.marchand@example.com")
PLANNING = Address("Planning des lots", addr_spec="planning@example.org")
WORKSHOP = Address("L’atelier des monteurs", addr_spec="lettre@example.com")
CATALOGUE = Address("Catalogue automatique", addr_spec="export@example.com")

_FONTS, _LINES = 900, 1500  # of the price list


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What makes a mail new: the operator's time of day, its lot, and a name for its files."""

    at: datetime
    lot: int
    token: str

    @property
    def afternoon(self) -> str:
        """A time of day in three hours, as French people write it."""
        return f"{self.at + timedelta(hours=3):%Hh%M}"

    @property
    def folder(self) -> str:
        return f"https://www.dropbox.com/scl/fo/{self.token}/h?rlkey={self.token[::-1]}&dl=0"


def mission(occasion: Occasion) -> bytes:
    return _mail(
        occasion,
        CLAIRE,
        _title(occasion),
        "Bonjour,",
        f"Le lot {occasion.lot} est prêt : douze vidéos à recadrer en 9:16, sous-titres compris.",
        f"Les rushes sont ici : {occasion.folder}",
        f"À faire pour {occasion.afternoon}, s’il te plaît.",
        "Merci beaucoup et à tout à l’heure,\nClaire",
    )


def offer(occasion: Occasion) -> bytes:
    return _mail(
        occasion,
        PLANNING,
        "Disponibilités : trois lots à prendre aujourd’hui",
        "Bonjour à toutes et à tous,",
        "Trois lots sont à prendre pour la journée, aux tarifs habituels. Le premier qui répond est servi.",
        f"Les montages finis se déposent là : https://www.dropbox.com/request/{occasion.token}",
        "Vous ne voulez plus recevoir nos appels ? Il suffit de se désabonner en répondant à ce message.",
    )


def newsletter(occasion: Occasion) -> bytes:
    return _mail(
        occasion,
        WORKSHOP,
        "La lettre de l’atelier : étalonner une scène de nuit",
        "Chère lectrice, cher lecteur,",
        "Ce mois-ci, Noémie raconte comment elle a étalonné un court métrage tourné à la bougie.",
        f"À lire sur notre site : https://example.com/lettre/{occasion.token[:6]}",
        "Belle lecture,\nL’équipe",
    )


def rushes(occasion: Occasion) -> bytes:
    token = occasion.token
    return _mail(
        occasion,
        HUGO,
        "Les rushes du tournage à Annecy",
        "Salut,",
        "Voilà tout ce que nous avons tourné au bord du lac, son témoin compris :",
        f"https://www.swisstransfer.com/d/{token[:8]}-{token[8:12]}-4a7e-9b1c-{token[8:20]}",
        "Le lien reste ouvert une semaine. Dis-moi s’il manque quelque chose !",
        "Hugo",
    )


def reply(occasion: Occasion) -> bytes:
    return _mail(
        occasion,
        INES,
        f"Re: {_title(occasion)}",
        "C’est noté, je prends les quatre dernières. Les fichiers arrivent bien de mon côté.",
        "Inès",
        f"> Les rushes sont ici : {occasion.folder}",
    )


def reminder(occasion: Occasion) -> bytes:
    return _mail(
        occasion,
        CLAIRE,
        _title(occasion),
        "Re-bonjour,",
        f"Je renvoie le lien du lot {occasion.lot}, l’autre ne s’ouvrait pas : {occasion.folder}",
        f"Toujours à faire pour {occasion.afternoon}. Merci !",
        "Claire",
    )


def urgent_offer(occasion: Occasion) -> bytes:
    return _mail(
        occasion,
        PLANNING,
        "URGENT : encore un lot à prendre",
        "Bonjour,",
        "Un désistement : il reste un lot pour la journée, aux tarifs habituels. Qui le prend ?",
        f"Dépôt des fichiers : https://www.dropbox.com/request/{occasion.token}",
        "Pour se désabonner de ces appels, répondez à ce message.",
    )


def large_files(occasion: Occasion) -> bytes:
    return _mail(
        occasion,
        HUGO,
        f"Captation du concert ({LARGE_FILES})",
        "Salut,",
        "Les trois caméras et la console son, soit 48 Go : prévois de la place.",
        f"https://fromsmash.com/{occasion.token[:12]}",
        "Hugo",
    )


def price_list(occasion: Occasion) -> bytes:
    """A page whose fonts are never closed: read as browsers do, each line opens all of them again.

    Some 33 kB become more elements than the parser may hold, within a third of a second.
    """
    fonts = "".join(f'<font id="c{number}">' for number in range(_FONTS))
    lines = "".join(f"<p>Réf. {number}" for number in range(_LINES))
    return _raw(
        occasion,
        CATALOGUE,
        subject=b"Subject: Catalogue complet",
        kind="text/html; charset=utf-8",
        body=f"<p>Catalogue du {occasion.at:%d/%m/%Y}{fonts}{lines}".encode(),
    )


def unknown_charset(occasion: Occasion) -> bytes:
    text = (
        f"Bonjour,\r\n\r\nLe lot {occasion.lot} : https://fromsmash.com/{occasion.token[:12]}\r\n"
        "À faire pour midi si possible, désolé du délai.\r\n\r\nGaëtan, depuis son vieux Mac\r\n"
    )
    subject = f"Subject: =?x-mac-savoie?Q?M=C3=A9dia_Solution_-_Missions_Recadrage_-_Lot_{occasion.lot}?="
    return _raw(
        occasion,
        Address("Gaëtan Périer", addr_spec="gaetan.perier@example.org"),
        subject=subject.encode(),
        kind="text/plain; charset=x-mac-savoie",
        body=text.encode(),
    )


def bare_headers(occasion: Occasion) -> bytes:
    """Letters beyond ASCII as bytes of Windows-1252, with no word of it: no standard, and common."""
    tomorrow = occasion.at + timedelta(days=1)
    text = (
        f"Bonjour,\r\n\r\nNouveau lot {occasion.lot}, trois épisodes :\r\n{occasion.folder}\r\n\r\n"
        f"À faire pour le {tomorrow:%d/%m/%Y} à 9h30.\r\n\r\nBonne soirée,\r\nChloé\r\n"
    )
    return _raw(
        occasion,
        Address("Chloé Genêt", addr_spec="chloe.genet@example.com"),
        subject=f"Subject: Média Solution – Missions Recadrage – Lot {occasion.lot}".encode("cp1252"),
        kind="text/plain; charset=windows-1252",
        body=text.encode("cp1252"),
        charset="cp1252",
    )


def urgent_mission(occasion: Occasion) -> bytes:
    return _mail(
        occasion,
        CLAIRE,
        f"{_title(occasion)} - URGENCE",
        "Le client vient d’appeler : deux formats de plus pour la diffusion de ce soir.",
        f"Tout est là : https://we.tl/t-{occasion.token[:10]}",
        "Tu me dis si c’est jouable ? Merci, merci.\nClaire",
    )


def _title(occasion: Occasion) -> str:
    return f"Média Solution - Missions Recadrage - Lot {occasion.lot}"


def _mail(occasion: Occasion, sender: Address, subject: str, *paragraphs: str) -> bytes:
    """A mail as programs of today write it: plain text, and the same again in HTML."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = "demo@example.com"
    mail["Subject"] = subject
    mail["Date"] = occasion.at
    mail["Message-ID"] = _message_id(occasion)
    mail.set_content("\n\n".join(paragraphs) + "\n")
    mail.add_alternative("".join(map(_paragraph, paragraphs)), subtype="html")
    return mail.as_bytes()


def _paragraph(text: str) -> str:
    words = [
        f'<a href="{escape(word)}">{escape(word)}</a>' if word.startswith("https://") else escape(word)
        for word in text.replace("\n", " <br> ").split(" ")
    ]
    return f"<p>{' '.join(words).replace(escape('<br>'), '<br>')}</p>\n"


def _raw(
    occasion: Occasion, sender: Address, *, subject: bytes, kind: str, body: bytes, charset: str = "utf-8"
) -> bytes:
    """A mail as some programs do write it."""
    headers = (
        f"From: {sender.display_name} <{sender.addr_spec}>\r\nTo: demo@example.com\r\n".encode(charset),
        subject,
        f"\r\nDate: {format_datetime(occasion.at)}\r\nMessage-ID: {_message_id(occasion)}\r\n".encode(),
        f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode(),
    )
    return b"".join(headers) + body


def _message_id(occasion: Occasion) -> str:
    return f"<{occasion.token}@example.org>"
