# class: handler
# rule: read_handler
# success: a module's own loader is asked for the data of a module beside it
# proof: read
# when: import
# policy: also.yaml
# handler: imported
import sys

from attack import HANDLER, attempt


@attempt
def steal():
    loader = sys.modules["recipes.deep"].__loader__
    return loader.get_data(HANDLER.replace("deep", "later"))
