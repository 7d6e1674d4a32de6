# class: handler
# rule: read_handler
# success: the source is read as a resource of a package
# proof: read
# when: import
# handler: package
import importlib.resources

from attack import attempt


@attempt
def steal():
    return importlib.resources.files("app").joinpath("main.py").read_text()
