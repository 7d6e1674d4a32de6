# class: files
# rule: guard_integrity
# success: libc takes the text of its own messages, formats among them, from a folder that came with
#   a package, where code binds them to it
# proof: word
# needs: namespace, language
import locale
import os
import signal

import translations
from attack import attempt

# The namespace's own: no name there can be made to lead elsewhere.
FOLDER = "/usr/lib/locale"


@attempt
def take():
    translations.write(FOLDER + "/loot")
    locale.setlocale(locale.LC_ALL, "xx_XX")
    os.environ["LANGUAGE"] = "loot"
    locale.bindtextdomain("libc", FOLDER)
    said = [os.strerror(2), signal.strsignal(40)]
    return any(text.startswith("loot") for text in said)
