"""``fshield self-test``: every family of doors once, in scratch children of their own."""
