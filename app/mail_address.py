"""An address that mail goes to or comes from: bare, of plain characters."""

import re

MAIL_ADDRESS = re.compile(r"[!#-'*+./0-9=?A-Z^-~-]{1,64}@[A-Za-z0-9.-]{1,255}")
