"""Judgement: pure functions of a mail, the settings, the rules and the moment."""
