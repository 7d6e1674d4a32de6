"""Maps memory below 2 GB, whose address fits in a C int."""

import mmap

MAP_32BIT = 0x40


def low_page():
    """A mapping of 1 MB, and its address."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT
    before = set(open("/proc/self/maps"))
    page = mmap.mmap(-1, 1 << 20, flags=flags)
    for line in set(open("/proc/self/maps")) - before:
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        if low < 1 << 31 and high - low >= 1 << 20:
            return page, high - (1 << 20)
    raise LookupError("no page below 2 GB")
