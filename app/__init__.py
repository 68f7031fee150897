"""Signal Server: mails that matter become webhooks, at once and without fail."""

__version__ = "0.1.0"
