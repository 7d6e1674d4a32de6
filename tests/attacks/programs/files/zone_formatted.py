# class: files
# rule: read_write_tmp
# success: a file in /tmp is read as a time zone, when a given time is formatted
# proof: read
import os
import time

from attack import DIR, attempt


@attempt
def steal():
    os.environ["TZ"] = DIR + "/zone"
    return time.strftime("%Z", (2020, 1, 1, 0, 0, 0, 0, 1, 0))
