"""Measures which files an act visits, for docs/how-it-works.md.

``python -m tests.core.visits`` writes the lists into the page. test_visits.py compares the page
with a fresh run.
"""
