# class: children
# rule: read_write_tmp guard_integrity
# policy: child-allowed.yaml
# success: a child is given a forged state of the guard
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    found = b""
    with open("/proc/self/environ", "rb") as opened:
        given = dict(part.split(b"=", 1) for part in opened.read().split(b"\0") if b"=" in part)
    states = [
        given.get(b"FUNCTION_SHIELD_STATE", b""),
        b"",
        b"1",
        b"off",
        b"mode=allow",
        b"\xff" * 3000,
    ]
    for state in states:
        environment = {
            **os.environb,
            b"FUNCTION_SHIELD_STATE": state.replace(b"block", b"allow").replace(b"2", b"0"),
        }
        found += subprocess.run(["/bin/cat", FILE], stdout=subprocess.PIPE, env=environment).stdout
    return found
