# class: switch_off
# rule: read_write_tmp
# success: the first caller of configure loosens the guard, where the policy does not permit it
# proof: read
from attack import FILE, attempt


@attempt
def steal():
    try:
        import function_shield
    except ImportError:
        return open(FILE).read()
    policy = {"read_write_tmp": "allow"}
    try:
        cookie = function_shield.configure({"policy": policy})
        function_shield.configure({"policy": policy, "cookie": cookie})
    except Exception:
        pass
    return open(FILE).read()
