# class: machine_code
# rule: native_code
# success: ctypes is imported, which can write to any memory
# proof: word
from attack import attempt


@attempt
def load():
    import ctypes

    return bool(ctypes.CDLL(None))
