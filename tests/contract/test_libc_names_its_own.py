"""Some programs pass libc the file or folder that libc would use anyway: `who` of coreutils its
login records, bash's `ldd` the messages of libc. Nothing is refused and no event is written, not
even for root, who could replace them by links.
"""

from __future__ import annotations

import shutil

import pytest

from tests import support

PROGRAMS = (
    ["who"],
    ["bash", "-c", 'TEXTDOMAIN=libc TEXTDOMAINDIR=/usr/share/locale; echo $"No such file"'],
)


@pytest.mark.parametrize("words", PROGRAMS, ids=lambda words: words[0])
def test_nothing_is_refused(words: list[str]) -> None:
    program = shutil.which(words[0])
    assert program, "Debian's coreutils and bash have it"
    policy = support.rules(outbound="block", tmp="block")
    bare = support.run_bare([program, *words[1:]])
    guarded = support.run_guarded([program, *words[1:]], policy=policy)
    assert (guarded.returncode, guarded.stdout) == (bare.returncode, bare.stdout)
    assert guarded.violations == []
