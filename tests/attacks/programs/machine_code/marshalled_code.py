# class: machine_code
# rule: native_code
# success: a code object loaded from bytes is run
# proof: word
import marshal

from attack import attempt


@attempt
def run():
    made = marshal.loads(marshal.dumps(compile("done = True", "<made>", "exec")))
    space = {}
    exec(made, space)
    return space["done"]
