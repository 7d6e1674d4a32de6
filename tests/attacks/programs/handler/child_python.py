# class: handler
# rule: read_handler
# success: a child Python with no environment reads the source
# proof: read
# when: import
# policy: child-allowed.yaml
from attack import HANDLER, attempt, child


@attempt
def steal():
    return child("print(open(%r).read())" % HANDLER, env={}, flags=["-I", "-S"])
