# class: configuration
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: a child Python whose variables change its memory, its checks and its start reads a file
#   in /tmp
# proof: read
import os

from attack import FILE, attempt, child


@attempt
def steal():
    environment = {
        **os.environ,
        "PYTHONMALLOC": "debug",
        "PYTHONDEVMODE": "1",
        "PYTHONSAFEPATH": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONHASHSEED": "1",
        "PYTHONPROFILEIMPORTTIME": "1",
        "PYTHONTRACEMALLOC": "5",
    }
    return child("print(open(%r).read())" % FILE, env=environment)
