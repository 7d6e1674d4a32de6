# class: switch_off
# rule: guard_integrity
# policy: child-allowed.yaml
# success: a child writes to the memory of its guarded parent
# proof: word

from attack import attempt, child


@attempt
def corrupt():
    return b"opened" in child(
        "import os; open('/proc/%d/mem' % os.getppid(), 'r+b'); print('opened')"
    )
