"""Starts what one machine needs, starts again what dies, and stops all of it in time."""
