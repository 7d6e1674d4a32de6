"""docs/how-it-works.md lists the files that an act visits. The lists match a fresh run, and are
short."""

from __future__ import annotations

import pytest

from tests.core import objects
from tests.core.visits.acts import ACTS, visits
from tests.core.visits.page import on_the_page, shown

# Acts that visit too many files, and how many. A number may only shrink.
OPEN = {"open": 17, "connect_by_name": 18}


@pytest.mark.parametrize("name", ACTS)
def test_the_page_has_the_files_of_a_fresh_run(name: str) -> None:
    if objects.ARCHITECTURE != "x86_64":
        pytest.skip("the lists were made on x86_64, where some system calls differ")
    act = ACTS[name]
    assert shown(act, visits(act)) in on_the_page(), "run: python -m tests.core.visits"


@pytest.mark.parametrize("name", ACTS)
def test_few_files(name: str) -> None:
    count = len(visits(ACTS[name]))
    assert count <= OPEN.get(name, ACTS[name].bound)
    assert name not in OPEN or count > ACTS[name].bound, "it keeps its bound: remove it from OPEN"
    assert count == OPEN.get(name, count), "fewer files: lower the number in OPEN"
