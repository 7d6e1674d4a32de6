# class: files
# rule: guard_integrity
# success: libc takes a locale from the attacker's folder, whose links lead anywhere
# proof: word
# needs: locale
import locale
import os
import shutil

from attack import attempt


@attempt
def take():
    shutil.copytree("/usr/lib/locale/C.utf8", "folder/loot")
    os.environ["LOCPATH"] = "folder"
    return locale.setlocale(locale.LC_TIME, "loot") == "loot"
