# class: files
# rule: guard_integrity
# success: libc takes the text of its own messages, formats among them, from the attacker's folder
# proof: word
# needs: namespace, language
import locale
import os
import signal

import translations
from attack import attempt


@attempt
def take():
    translations.write("loot")
    locale.setlocale(locale.LC_ALL, "xx_XX")
    os.environ["LANGUAGE"] = "../../../../" + os.getcwd() + "/loot"
    said = [os.strerror(2), signal.strsignal(40)]
    return any(text.startswith("loot") for text in said)
