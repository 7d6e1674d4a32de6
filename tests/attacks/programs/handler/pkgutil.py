# class: handler
# rule: read_handler
# success: the source is read as data of a package
# proof: read
# when: import
# handler: package
import pkgutil

from attack import attempt


@attempt
def steal():
    return pkgutil.get_data("app", "main.py")
