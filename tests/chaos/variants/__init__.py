"""Ways of taking mail in that lose some when a process dies: the chaos must find that out."""
