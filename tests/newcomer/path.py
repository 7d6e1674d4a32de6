"""Turns the commands of docs/attaching.md into a script, in the order in which a newcomer types
them.

It fills in only what a person has to fill in: the address of the repository, and what earlier
commands printed.
"""

from __future__ import annotations

import re

# By heading: a placeholder on the page, and what a person puts in its place. A placeholder that is
# no longer on the page is an error.
FILLED = {
    "## 1. Build": {"URL": "/source"},
    "## 3. Attach, with the policy `monitor`": {
        "LAYER-ARN-OF-STEP-2": '"$(head -1 step-2)"',
        "ANY-LAYERS-IT-HAD ": "",
    },
    "## 4. Read the events": {"QUERY-ID": '"$(jq -r .queryId step-4)"'},
}
STEPS = (
    "## 1. Build",
    "## 2. Publish the layers",
    "## 3. Attach, with the policy `monitor`",
    "## 4. Read the events",
    "## 5. Write what is legitimate into a policy",
)
_BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(readme: str, heading: str) -> list[str]:
    """The commands below `heading`, one text for each block."""
    section = readme.split(f"\n{heading}\n", 1)[1]
    section = re.split(r"^#{2,3} ", section, maxsplit=1, flags=re.MULTILINE)[0]
    found = []
    for kind, text in _BLOCK.findall(section):
        lines = text.splitlines(keepends=True)
        typed = (
            [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
            if kind == "console"
            else lines
        )
        found.append("".join(typed))
    if not found:
        raise ValueError(f"docs/attaching.md has no commands below {heading}")
    return found


def script(readme: str) -> str:
    """All steps as one bash script that stops at the first failure. The output of step N is also
    written to the file step-N."""
    lines = ["set -euo pipefail"]
    for number, heading in enumerate(STEPS, 1):
        text = "\n".join(blocks(readme, heading))
        for word, value in FILLED.get(heading, {}).items():
            if word not in text:
                raise ValueError(f"{word.strip()} is not below {heading} any more")
            text = text.replace(word, value)
        if number == 4:
            # The first answer contains the id that the next command needs.
            text = text.replace(
                "--query-string file://violations.query",
                "--query-string file://violations.query >step-4",
            )
        elif number != 1:
            text = f"{{\n{text}}} | tee step-{number}"
        # Variables set inside braces before a pipe are lost afterwards. This one is set outside.
        if number == 3:
            text = text.replace("FUNCTION=my-function\n", "") + "\n"
            lines.append("FUNCTION=my-function")
        lines += [f"echo '== {number}'", text]
        if number == 1:
            # The page says to do this so that `fshield` alone works.
            lines.append('PATH="$PWD/.venv/bin:$PATH"')
    lines += ["echo '== demo'", "make demo", "echo '== done'", ""]
    return "\n".join(lines)
