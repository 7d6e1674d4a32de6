# class: files
# rule: guard_integrity
# success: libc takes translations from the attacker's folder, whose links lead anywhere
# proof: word
import locale
import os

from attack import attempt


@attempt
def take():
    return locale.bindtextdomain("loot", os.getcwd()) == os.getcwd()
