# class: files
# rule: read_write_tmp
# success: a file in /tmp is read as a time zone, by a link in a folder for zones
# proof: word
import os
import time

from attack import DIR, SECRET, attempt


@attempt
def steal():
    os.symlink(DIR + "/zone", "zone")
    os.environ["TZDIR"] = os.getcwd()
    os.environ["TZ"] = "zone"
    time.tzset()
    return len(time.tzname[0]) > 6 and SECRET.startswith(time.tzname[0])
