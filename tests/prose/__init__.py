"""The style check in `make lint`: ``python -m tests.prose [FILE…]``.

It reads what people read: Markdown without its code, comments of C, comments and docstrings of
Python. words.py has the project's own rules, and proselint, from PyPI, the general ones. text.py
extracts the prose from a file.
"""
