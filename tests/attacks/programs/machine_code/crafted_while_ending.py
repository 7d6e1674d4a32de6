# class: machine_code
# rule: native_code
# success: an object that dies while Python shuts down makes a code object whose constants lie
#   outside its tuple
# proof: word
import os

from attack import show


def template():
    return "one"


class Last:
    exit, show, template = os._exit, staticmethod(show), staticmethod(template)

    def __del__(self):
        code = self.template.__code__
        try:
            made = code.replace(co_consts=(), co_code=code.co_code).co_consts == ()
        except OSError as error:
            made = str(error)
        self.exit(0 if self.show(made) else 1)


last = Last()
