"""Finds what the guard cannot see in a function's package, from its files, before it runs."""
