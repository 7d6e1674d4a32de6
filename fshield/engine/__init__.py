"""Compiled policies, and what the core's own decide says of them."""
