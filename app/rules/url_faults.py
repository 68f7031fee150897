"""What may be wrong with an address to which webhooks are posted, whatever it names."""

from app.rules.vocabulary import N_

NO_HTTPS = N_("it must begin with https://")
NO_HOST = N_("it names no host")
NO_NAME = N_("its host is no name")
NO_PASSWORDS = N_("it holds a user name or a password: a receiver's further headers are the place for those")
NO_SIGNS = N_("it holds blanks, control characters, a backslash or a #")
NO_PORT = N_("no receiver is at that port")
NO_RECEIVER = N_("no receiver is at that address")
OURS = N_("Signal Server itself listens at that port of this machine")
UNENCRYPTED = N_("http without TLS is for the targets in ALLOW_PRIVATE_TARGETS: use https")

FAULTS = (NO_HTTPS, NO_HOST, NO_NAME, NO_PASSWORDS, NO_SIGNS, NO_PORT, NO_RECEIVER, OURS, UNENCRYPTED)
