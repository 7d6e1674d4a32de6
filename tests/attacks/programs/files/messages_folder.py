# class: files
# rule: guard_integrity
# success: libc takes translations from a folder of the attacker's, where links lead it anywhere
# proof: word
import locale
import os

from attack import attempt


@attempt
def take():
    return locale.bindtextdomain("loot", os.getcwd()) == os.getcwd()
