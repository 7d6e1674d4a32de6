# class: switch_off
# rule: read_write_tmp
# success: an audit hook of the attacker reads the file
# proof: read
import sys

from attack import FILE, attempt

found = []


def hook(event, arguments):
    if event == "attack" and not found:
        found.append("")
        try:
            found[0] = open(FILE).read()
        except OSError as error:
            found[0] = str(error)


@attempt
def steal():
    sys.addaudithook(hook)
    sys.audit("attack")
    return found[0]
