# class: files
# rule: read_write_tmp
# success: a file in /tmp is read as a time zone, by a name that leads up from the system's zones
# proof: word
import os
import time

from attack import DIR, SECRET, attempt


@attempt
def steal():
    os.makedirs("a/b/c/d/e/f")
    os.chdir("a/b/c/d/e/f")
    os.environ["TZ"] = "../../.." + DIR + "/zone"
    time.tzset()
    return len(time.tzname[0]) > 6 and SECRET.startswith(time.tzname[0])
