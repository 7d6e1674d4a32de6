"""Makes one attempt in a forked child with a time limit."""

import errno
import json
import os
import select
import signal
import time

LIMIT_S = 5.0
MAX_ANSWER = 65536


def attempt(function):
    """Run `function` in a forked child, and return its answer.

    ``{"ok": ANSWER}``, ``{"errno": NAME}`` if the kernel refused, ``{"signal": NAME}`` if it killed
    the child, ``{"timeout": SECONDS}`` or ``{"error": TEXT}``.
    """
    read, write = os.pipe()
    try:
        child = os.fork()
    except OSError as error:
        os.close(read)
        os.close(write)
        return {
            "errno": errno.errorcode.get(error.errno),
            "error": "no child could be forked to try it in",
        }
    if child == 0:
        os.close(read)
        _answer(function, write)
    os.close(write)
    content, end = b"", time.monotonic() + LIMIT_S
    while len(content) < MAX_ANSWER:
        ready, _, _ = select.select([read], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(read)
            return {"timeout": LIMIT_S}
        part = os.read(read, 4096)
        if not part:
            break
        content += part
    os.close(read)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return {"signal": signal.Signals(os.WTERMSIG(status)).name}
    try:
        return json.loads(content)
    except ValueError:
        return {"error": f"the child ended with status {status} and no answer"}


def _answer(function, write):
    """Runs in the child. Never returns."""
    try:
        try:
            answer = {"ok": function()}
        except OSError as error:
            answer = {"errno": errno.errorcode.get(error.errno, str(error.errno))}
        except Exception as error:  # an attempt that cannot be made is an answer too
            answer = {"error": f"{type(error).__name__}: {error}"[:400]}
        os.write(write, json.dumps(answer).encode()[:MAX_ANSWER])
    finally:
        os._exit(0)
