# class: files
# rule: read_write_tmp
# success: a file in /tmp is rewritten in place
# proof: changed
import fileinput

from attack import FILE, attempt


@attempt
def spoil():
    with fileinput.input(FILE, inplace=True) as lines:
        for line in lines:
            print(line.upper())
    return True
