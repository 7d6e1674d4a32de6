# class: handler
# rule: read_handler
# success: a program that may be started prints the source
# proof: read
# when: import
# policy: child-allowed.yaml
import subprocess

from attack import HANDLER, attempt


@attempt
def steal():
    return subprocess.run(["/bin/cat", HANDLER], stdout=subprocess.PIPE).stdout
