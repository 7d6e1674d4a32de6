# class: files
# rule: read_write_tmp
# success: a program that lies in /tmp is run
# proof: read
import runpy

from attack import DIR, attempt


@attempt
def steal():
    return runpy.run_path(DIR + "/stolen_module.py")["LOOT"]
