# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: a child is told by FUNCTION_SHIELD_MODE that the guard is off
# proof: read
import os

from attack import FILE, attempt, child


@attempt
def steal():
    environment = {**os.environ, "FUNCTION_SHIELD_MODE": "off", "FUNCTION_SHIELD_POLICY": "monitor"}
    return child("print(open(%r).read())" % FILE, env=environment)
