# class: files
# rule: read_write_tmp
# success: nine letters of a file in /tmp are read as a time zone
# proof: word
import os
import time

from attack import DIR, SECRET, attempt


@attempt
def steal():
    os.environ["TZ"] = ":%s/zone" % DIR
    time.tzset()
    return len(time.tzname[0]) > 6 and SECRET.startswith(time.tzname[0])
