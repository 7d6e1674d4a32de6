"""Release notes: the version's part of CHANGELOG.md, and how the files are checked."""

from __future__ import annotations

import re

_CHECK = """
## Check what you took

```sh
fshield verify *.zip *.whl *.tar.gz    # against SHA256SUMS, which is signed
sha256sum --check --ignore-missing SHA256SUMS
```

`docs/releasing.md` says how to make the same bytes from the commit.
"""


def notes(changelog: str, version: str) -> str:
    """The notes of `version`; what is not released yet where it has no part of its own."""
    for heading in (version, "Unreleased"):
        found = re.search(
            rf"^## \[{re.escape(heading)}\][^\n]*\n(.*?)(?=^## |\Z)", changelog, re.M | re.S
        )
        if found:
            return f"# FunctionShield, open {version}\n\n{found[1].strip()}\n{_CHECK}"
    raise ValueError(f"CHANGELOG.md has no part for {version}")
