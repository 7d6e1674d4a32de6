"""Compiled policies, and the verdicts that the core's own decide function gives on them."""
