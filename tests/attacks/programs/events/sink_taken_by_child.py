# class: events
# rule: guard_integrity
# policy: child-allowed.yaml
# success: a child opens its parent's standard error for reading
# proof: word
from attack import attempt, child


@attempt
def steal():
    code = (
        "import os\n"
        "for name in ('/proc/%d/fd/2' % os.getppid(), '/dev/stderr'):\n"
        "    try: os.open(name, os.O_RDONLY | os.O_NONBLOCK)\n"
        "    except OSError: continue\n"
        "    print('opened')\n"
    )
    return b"opened" in child(code)
