# class: switch_off
# rule: read_write_tmp
# policy: reconfigurable.yaml
# success: a caller that was given no cookie loosens the guard
# proof: read
from attack import FILE, attempt

ALLOW = {
    "policy": {
        "outbound_connectivity": "allow",
        "read_write_tmp": "allow",
        "create_child_process": "allow",
        "read_handler": "allow",
    },
    "disable_analytics": True,
    "token": "x",
}


@attempt
def steal():
    try:
        import function_shield
    except ImportError:
        return open(FILE).read()
    # The function itself asked first, as the documentation says: the cookie is its own.
    function_shield.configure({"policy": {"read_write_tmp": "alert"}})
    for cookie in (None, "", "0" * 32, "f" * 32):
        try:
            function_shield.configure(
                {**ALLOW, **({"cookie": cookie} if cookie is not None else {})}
            )
        except Exception:
            pass
    return open(FILE).read()
