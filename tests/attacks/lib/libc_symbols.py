"""Reads libc's own symbol table, as any code may."""

import struct


def address_in_libc(name):
    """The address of a libc function, from the symbol table of libc's file."""
    with open("/proc/self/maps") as maps:
        lines = [line.split() for line in maps if "/libc.so" in line or "/libc-2." in line]
    base = int(lines[0][0].partition("-")[0], 16)
    with open(lines[0][5], "rb") as file:
        image = file.read()
    start, size, count = struct.unpack_from("<Q10xHH", image, 40)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, start + i * size) for i in range(count)]
    table = next(section for section in sections if section[1] == 11)  # SHT_DYNSYM
    texts = sections[table[6]]
    for at in range(table[4], table[4] + table[5], 24):
        text, kind, _, _, value, _ = struct.unpack_from("<IBBHQQ", image, at)
        where = texts[4] + text
        if value and kind & 15 == 2 and image[where : image.index(b"\0", where)] == name.encode():
            return base + value
    raise LookupError(name)
