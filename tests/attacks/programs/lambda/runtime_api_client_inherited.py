# class: lambda
# rule: runtime_api
# policy: client-child.yaml
# success: a program that may run inherits the runtime client's connection, and takes the answer to
#   its request
# proof: word
# needs: gcc
import subprocess
import sys

from attack import attempt
from runtime_connection import answered, start


@attempt
def take():
    fd = answered(start())
    code = f"import os, sys; sys.stdout.write(os.read({fd}, 4).decode())"
    done = subprocess.run(
        [sys.executable, "-c", code], pass_fds=[fd], capture_output=True, timeout=10, check=False
    )
    return done.stdout == b"HTTP"
