# class: children
# rule: create_child_process read_write_tmp guard_integrity
# policy: child-allowed.yaml
# success: the dynamic loader, told to take no preloaded library, runs a program that reads a file
#   in /tmp
# proof: read
import subprocess

from attack import FILE, attempt


@attempt
def steal():
    with open("/proc/self/maps") as maps:
        loader = next(line.split()[-1] for line in maps if "/ld-" in line)
    found = b""
    for options in ([], ["--inhibit-cache"], ["--preload", ""], ["--library-path", "/nothing"]):
        argv = [loader, *options, "/bin/cat", FILE]
        found += subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
        ).stdout
    return found
