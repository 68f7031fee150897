"""Neighbours: mailbox, mail parser, receivers. Plain values in, plain values out, one error type."""
