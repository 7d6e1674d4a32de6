# class: files
# rule: read_write_tmp
# success: a file that another process left swaps names with one of the function's
# proof: read
# policy: ephemeral.yaml
from attack import FILE, NEW, attempt, libc

AT_FDCWD, RENAME_EXCHANGE = -100, 2


@attempt
def exchange():
    with open(NEW, "w"):
        pass
    libc().renameat2(AT_FDCWD, FILE.encode(), AT_FDCWD, NEW.encode(), RENAME_EXCHANGE)
    with open(NEW) as file:
        return file.read()
