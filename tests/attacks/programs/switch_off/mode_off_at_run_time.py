# class: switch_off
# rule: read_write_tmp
# success: FUNCTION_SHIELD_MODE=off, set by the function, turns the guard off
# proof: read
import os

from attack import FILE, attempt


@attempt
def steal():
    for name in list(os.environ):
        if name.startswith(("FUNCTION_SHIELD", "LD_")):
            del os.environ[name]
    os.environ["FUNCTION_SHIELD_MODE"] = "off"
    os.environ["FUNCTION_SHIELD_POLICY"] = "monitor"
    return open(FILE).read()
