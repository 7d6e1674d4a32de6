"""Reads memory at an address through numpy's array interface."""

import sys


def reads_memory(numpy):
    """Whether numpy can read an object's memory, given its address as an integer."""
    target = b"read from it"
    anywhere = type("Anywhere", (), {})()
    anywhere.__array_interface__ = {
        "data": (id(target) + sys.getsizeof(b"") - 1, False),
        "shape": (len(target),),
        "typestr": "|u1",
        "version": 3,
    }
    return bytes(numpy.asarray(anywhere)) == target
