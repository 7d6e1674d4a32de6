# class: handler
# rule: read_handler
# success: a program that may be started prints a module that the handler imports
# proof: read
# when: call
# policy: also.yaml
# handler: imported
import subprocess

from attack import HANDLER, attempt


@attempt
def steal():
    return subprocess.run(["/bin/cat", HANDLER], stdout=subprocess.PIPE).stdout
