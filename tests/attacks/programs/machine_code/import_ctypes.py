# class: machine_code
# rule: native_code
# success: ctypes is imported, from where any memory is written
# proof: word
from attack import attempt


@attempt
def load():
    import ctypes

    return bool(ctypes.CDLL(None))
