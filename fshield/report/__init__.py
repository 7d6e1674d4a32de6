"""``fshield report``: one page for people, made of events."""
