"""How HTTP works here."""
