"""A real Dovecot: any user, one password, mail arrives by a rename into Maildir's `new`."""

import grp
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import pytest

from tests.servers.port import answers, free_port
from tests.servers.waiting import eventually

PASSWORD = "secret"
_PROGRAM = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")

_CONFIG = """
base_dir={root}/run
state_dir={root}/state
instance_name=signal-tests-{port}
protocols=imap
listen=127.0.0.1
log_path={root}/dovecot.log
ssl={ssl}
disable_plaintext_auth=no
auth_mechanisms=plain login
auth_failure_delay=0
auth_username_chars=
mail_location=maildir:{root}/mail/%u
mail_uid={user}
mail_gid={group}
default_internal_user={internal}
default_login_user={login}
default_internal_group={internal_group}
first_valid_uid=1
first_valid_gid=1
mail_max_userip_connections=100
maildir_stat_dirs=yes
namespace inbox {{
  inbox=yes
}}
passdb {{
  driver=static
  args=password={password}
}}
userdb {{
  driver=static
  args=uid={user} gid={group} home={root}/mail/%u
}}
service imap-login {{
  service_count=0
  process_min_avail=1
  inet_listener imap {{
    address=127.0.0.1
    port={port}
  }}
  inet_listener imaps {{
    port={tls_port}
  }}
  chroot=
}}
service anvil {{
  chroot=
  unix_listener anvil-auth-penalty {{
    mode=0
  }}
}}
"""


class Dovecot:
    """`with Dovecot() as imap: imap.port, imap.deliver("ada", raw)`; the password is `imap.password`.

    Given a certificate (PEM with key and chain) it also listens with TLS on `tls_port`.
    """

    host = "127.0.0.1"
    password = PASSWORD

    def __init__(self, root: Path | None = None, *, certificate: bytes | None = None) -> None:
        if _PROGRAM is None:
            pytest.skip("Dovecot is missing: apt-get install dovecot-imapd")
        # A folder of its own, readable on the way down: as root Dovecot drops its privileges, and a test's
        # folder is closed to everybody else. Short, since a socket's path has 107 bytes.
        self._root = Path(tempfile.mkdtemp(prefix="dovecot-", dir=root))
        self._root.chmod(0o755)
        self._certificate = certificate
        self._numbers = itertools.count(1)
        self._users: set[str] = set()
        self.port = free_port()
        self.tls_port = free_port() if certificate else 0

    def __enter__(self) -> Self:
        (self._root / "mail").mkdir()
        self._give(self._root / "mail")
        config = self._root / "dovecot.conf"
        config.write_text(self._configuration())
        config.chmod(0o644)
        self._process = subprocess.Popen(
            [str(_PROGRAM), "-F", "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        eventually(lambda: answers(self.port) or self._process.poll() is not None)
        if self._process.poll() is not None:
            pytest.fail(f"Dovecot did not start: {self.log()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)
        shutil.rmtree(self._root, ignore_errors=True)

    def deliver(self, user: str, raw: bytes, *, folder: str = "INBOX", seen: bool = False) -> Path:
        """Put a mail into the mailbox, as a delivery agent does; its UID follows the order of deliveries."""
        box = self.folder(user, folder)
        name = f"{time.time_ns() // 1000:017d}.M{next(self._numbers):06d}.test"
        fresh = box / "tmp" / name
        fresh.write_bytes(raw)
        self._give(fresh)
        return fresh.rename(box / "cur" / f"{name}:2,S" if seen else box / "new" / name)

    def folder(self, user: str, folder: str = "INBOX") -> Path:
        """The Maildir of a folder, made when it is not there."""
        home = self._root / "mail" / user
        box = home if folder == "INBOX" else home / f".{folder}"
        for path in (home, box, box / "cur", box / "new", box / "tmp"):
            if not path.exists():
                path.mkdir()
                self._give(path)
        return box

    def renumber(self, user: str, folder: str = "INBOX", *, uidvalidity: int) -> None:
        """Recreate the folder's numbers: every mail has a new UID under another UIDVALIDITY."""
        box = self.folder(user, folder)
        for path in box.glob("dovecot*"):
            path.unlink()
        uids = box / "dovecot-uidlist"
        uids.write_text(f"3 V{uidvalidity} N1 G{uidvalidity:032x}\n")
        self._give(uids)

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """The Maildir flags of every mail that a client has looked at, such as `S` for seen."""
        return sorted(path.name.partition(":2,")[2] for path in (self.folder(user, folder) / "cur").iterdir())

    def log(self) -> str:
        path = self._root / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _configuration(self) -> str:
        user, group = _owner()
        internal = ("dovecot", "dovenull", "dovecot") if os.geteuid() == 0 else (user, user, group)
        text = _CONFIG.format(
            root=self._root,
            port=self.port,
            tls_port=self.tls_port,
            ssl="yes" if self._certificate else "no",
            user=user,
            group=group,
            internal=internal[0],
            login=internal[1],
            internal_group=internal[2],
            password=PASSWORD,
        )
        if self._certificate:
            pem = self._root / "server.pem"
            pem.write_bytes(self._certificate)
            text += f"ssl_cert=<{pem}\nssl_key=<{pem}\n"
        return text

    def _give(self, path: Path) -> None:
        if os.geteuid() == 0:
            user, group = _owner()
            shutil.chown(path, user, group)


def _owner() -> tuple[str, str]:
    if os.geteuid() == 0:
        return "nobody", "nogroup"
    return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
