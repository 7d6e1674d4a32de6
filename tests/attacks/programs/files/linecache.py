# class: files
# rule: read_write_tmp
# success: a line of a file in /tmp is read through the cache of source lines
# proof: read
import linecache

from attack import FILE, attempt


@attempt
def steal():
    return linecache.getline(FILE, 1)
