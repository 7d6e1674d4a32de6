# class: handler
# rule: read_handler
# success: a line of the source shows in a warning
# proof: read
# quiet: warnings ask linecache, which is told that there is no source, and handles that
# unreported: an honest warning asks the same
# when: import
import warnings

from attack import HANDLER, attempt


@attempt
def steal():
    return "".join(
        warnings.formatwarning("w", UserWarning, HANDLER, number) for number in (1, 2, 3)
    )
