# class: machine_code
# rule: native_code
# needs: module:gi
# success: GLib's functions read and write memory at an address given as an integer
# proof: word
import sys

from attack import attempt
from gi.repository import GLib


@attempt
def write():
    target = b"bytes that nobody changes"
    GLib.atomic_pointer_add(id(target) + sys.getsizeof(b"") - 1, 1)
    return target[:1] == b"c"
