# class: handler
# rule: read_handler
# success: the source is opened as code
# proof: read
# when: import
import io

from attack import HANDLER, attempt


@attempt
def steal():
    with io.open_code(HANDLER) as opened:
        return opened.read()
