# class: machine_code
# rule: native_code
# success: a code object whose constants lie outside its tuple is made, the first step to reading
#   and writing memory
# proof: word
from attack import attempt


def template():
    return "one"


@attempt
def craft():
    # Not run: what it would load lies wherever memory goes on. That it can be made is the attack.
    crafted = template.__code__.replace(co_consts=(), co_code=template.__code__.co_code)
    return crafted.co_consts == ()
