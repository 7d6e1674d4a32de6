"""Does what Lambda's /var/runtime/bootstrap.py does, so that paths and variables are as functions
find them there.

Runs in the function's process, from the folder that holds the runtime client: standard library
only. The order is Lambda's: the task root first, then the layers' folders, which are left out where
PYTHONPATH is set. Argument: the folder that stands for /opt, where layers are unpacked.
Environment: LAMBDA_TASK_ROOT, LAMBDA_RUNTIME_DIR, _HANDLER.
"""

import importlib
import os
import site
import sys


def main() -> None:
    # The task root is read-only on Lambda, so write nothing into it here either.
    sys.dont_write_bytecode = True
    # Lambda's bootstrap has no arguments. Hide ours from the function.
    opt = sys.argv.pop(1) if len(sys.argv) > 1 else "/opt"
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    layers = [
        f"{opt}/python/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages",
        f"{opt}/python",
    ]
    chosen = "PYTHONPATH" in os.environ
    if not chosen:
        sys.path[:0] = layers
    sys.path.insert(0, task_root)
    site.addsitedir(task_root)
    if not chosen:
        for layer in layers:
            site.addsitedir(layer)
        os.environ["PYTHONPATH"] = os.environ["LAMBDA_RUNTIME_DIR"]

    # Imported late, because sys.path is only now as on Lambda.
    importlib.import_module("awslambdaric.__main__").main([sys.argv[0], os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
