"""`python -m tests.chaos`: the whole program while its processes are killed; says what came of it."""
