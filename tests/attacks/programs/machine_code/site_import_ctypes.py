# class: machine_code
# rule: native_code
# success: code that site runs imports ctypes
# proof: word
# when: site
from attack import attempt


@attempt
def load():
    import ctypes

    return bool(ctypes.CDLL(None))
