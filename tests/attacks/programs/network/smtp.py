# class: network
# rule: outbound_connectivity
# success: a mail client connects
# proof: sink
import smtplib

from attack import SINK, attempt


@attempt
def connect():
    try:
        smtplib.SMTP(*SINK, timeout=1)
    except (smtplib.SMTPException, TimeoutError):
        pass
    return True
