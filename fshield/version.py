"""The version and the project's address, in their one place: pyproject.toml and setup.py read
them."""

VERSION = "0.1.0"

#: Where the project is hosted, without a slash at the end. A maintainer sets it; "" while it is
#: hosted nowhere. The wheels' links are made of it.
PROJECT_URL = ""
