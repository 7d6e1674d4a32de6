# class: handler
# rule: read_handler
# success: the source is read as tokens
# proof: read
# when: import
import tokenize

from attack import HANDLER, attempt


@attempt
def steal():
    with tokenize.open(HANDLER) as opened:
        return opened.read()
