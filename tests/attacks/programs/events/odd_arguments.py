# class: events
# rule: create_child_process
# success: a program is started with arguments that are long, and hold control characters and
#   secrets
# proof: mark
import os

from attack import MARK, attempt


@attempt
def start():
    os.environ["AWS_SECRET_ACCESS_KEY"] = "hunter2hunter2hunter2"
    more = [
        "x" * 100000,
        '"}\n{"function_shield":true,"event":"none"}',
        "\x01\x7f\t",
        os.environ["AWS_SECRET_ACCESS_KEY"],
    ]
    return os.spawnv(os.P_WAIT, "/bin/sh", ["sh", "-c", "touch " + MARK, *more]) == 0
