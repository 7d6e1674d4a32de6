# class: files
# rule: read_write_tmp
# success: all that is mapped for reading becomes executable, a file of the function's in /tmp too
# proof: word
# policy: ephemeral.yaml
import mmap

from attack import NEW, attempt, libc

READ_IMPLIES_EXEC = 0x0400000


@attempt
def map_code():
    with open(NEW, "wb") as file:
        file.write(b"\xc3" * mmap.PAGESIZE)
    libc().personality(READ_IMPLIES_EXEC)
    with open(NEW, "rb") as file:
        code = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    with open("/proc/self/maps") as maps:
        return code[0] == 0xC3 and any(NEW in line and " r-xp " in line for line in maps)
