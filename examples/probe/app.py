"""Finds out what a sandbox permits. Deploy it to AWS Lambda, or run it anywhere. The answer is one
JSON object.

Each attempt runs in a forked child with a time limit, because some attempts end their process
(Lambda answers a compat system call with SIGSYS). It uses only the standard library, with ctypes.
No change outlives the child, and nothing is sent anywhere.

``handler`` for Lambda; ``python3 app.py`` for a shell. Arguments and event fields are ignored.
"""

import json
import sys

from attempts import ATTEMPTS
from facts import facts
from trying import attempt


def rings(results):
    """Which rings of a guard inside the process would work here."""
    worked = {name for name, result in results.items() if "ok" in result}
    preloads = results["ld_preload"].get("ok", {}).get("honoured", False)
    bounded = results["rlimit_fsize"].get("ok", {})
    kernel = []
    if bounded.get("write") == "EFBIG" and not bounded.get("raised"):
        kernel.append("RLIMIT_FSIZE")
    if {"seccomp_filter", "seccomp_filter_no_new_privs"} & worked:
        kernel.append("seccomp")
    if "seccomp_listener" in worked:
        kernel.append("seccomp listener")
    if "landlock" in worked:
        kernel.append("Landlock")
    if "user_namespace" in worked:
        kernel.append("user namespaces")
    ways_in = sorted(
        {"ptrace_attach", "process_vm_writev", "proc_mem_of_self", "pidfd_getfd", "io_uring"}
        & worked
    )
    return {
        "libc": preloads,
        "interpreter": preloads,
        "kernel": kernel,
        "around_the_guard": ways_in,
        "line": (
            "libc and interpreter rings:"
            f" {'can hold' if preloads else 'LD_PRELOAD is not honoured'}; kernel ring:"
            f" {', '.join(kernel) or 'nothing'}; the sandbox itself leaves open:"
            f" {', '.join(ways_in) or 'nothing of what was tried'}"
        ),
    }


def probe():
    """The whole answer."""
    results = {name: attempt(function) for name, function in ATTEMPTS.items()}
    return {"probe_version": 1, "rings": rings(results), "attempts": results, "facts": facts()}


def handler(event, context):
    answer = probe()
    print(answer["rings"]["line"])
    return answer


if __name__ == "__main__":
    json.dump(probe(), sys.stdout, indent=1)
    print()
