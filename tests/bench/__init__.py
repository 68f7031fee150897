"""`python -m tests.bench`: how fast and how heavy the whole program is, here and now; asserts nothing."""
