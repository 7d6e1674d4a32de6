# class: files
# rule: read_write_tmp
# success: a file of the function's in /tmp is mapped executable
# proof: word
# policy: ephemeral.yaml
import mmap

from attack import NEW, attempt


@attempt
def map_code():
    with open(NEW, "wb") as file:
        file.write(b"\xc3" * mmap.PAGESIZE)
    with open(NEW, "rb") as file:
        flags, prot = mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC
        return mmap.mmap(file.fileno(), mmap.PAGESIZE, flags=flags, prot=prot) is not None
