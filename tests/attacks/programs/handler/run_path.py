# class: handler
# rule: read_handler
# success: the file is run as a program
# proof: read
# when: import
import runpy

from attack import HANDLER, attempt


@attempt
def steal():
    return runpy.run_path(HANDLER)["RECIPE"]
