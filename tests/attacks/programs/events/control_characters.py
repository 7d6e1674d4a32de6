# class: events
# rule: read_write_tmp
# success: a folder is made in /tmp whose name holds every byte that a name can hold
# proof: new
import os

from attack import NEW, attempt


@attempt
def stash():
    os.mkdir(os.fsencode(NEW) + bytes(byte for byte in range(1, 256) if byte != 0x2F)[:200])
    return True
