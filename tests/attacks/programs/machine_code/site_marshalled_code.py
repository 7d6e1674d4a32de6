# class: machine_code
# rule: native_code
# success: code that site runs loads a code object from bytes, and runs it
# proof: word
# when: site
import marshal

from attack import attempt


@attempt
def run():
    made = marshal.loads(marshal.dumps(compile("done = True", "<made>", "exec")))
    space = {}
    exec(made, space)
    return space["done"]
