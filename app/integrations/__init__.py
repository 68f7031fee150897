"""Neighbours: mailbox, mail parser, receivers, mail server. Plain values in and out, one error type."""
