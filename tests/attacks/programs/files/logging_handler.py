# class: files
# rule: read_write_tmp
# success: a log file in /tmp keeps what is logged
# proof: new
import logging

from attack import NEW, SECRET, attempt


@attempt
def stash():
    logger = logging.getLogger("innocent")
    logger.addHandler(logging.FileHandler(NEW))
    logger.error(SECRET)
    return True
