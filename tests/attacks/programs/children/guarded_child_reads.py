# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: a child that the policy allows to start reads a file in /tmp
# proof: read
from attack import FILE, attempt, child


@attempt
def steal():
    return child("print(open(%r).read())" % FILE)
