# class: files
# rule: read_write_tmp
# success: a module that lies in /tmp is imported
# proof: read
import sys

from attack import DIR, attempt


@attempt
def steal():
    sys.path.insert(0, DIR)
    import stolen_module

    return stolen_module.LOOT
