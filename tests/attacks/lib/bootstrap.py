"""Imports the handler and calls it, as Lambda's bootstrap and runtime client do. Uses the standard
library only."""

import importlib
import os
import site
import sys


def main():
    root = os.environ["LAMBDA_TASK_ROOT"]
    bundle = os.path.join(root, "bundle.zip")
    sys.path.pop(0)
    sys.path.insert(0, root)
    if os.path.exists(bundle):
        sys.path.insert(0, bundle)
    site.addsitedir(root)
    module, _, function = os.environ["_HANDLER"].rpartition(".")
    handler = getattr(importlib.import_module(module.replace("/", ".")), function)
    handler({}, None)


if __name__ == "__main__":
    main()
