# class: no_event
# rule: read_write_tmp
# success: OpenSSL opens a file in /tmp as a list of authorities, and reports that it holds none
# proof: word
# needs: module:ssl
import ssl

from attack import FILE, attempt


@attempt
def steal():
    try:
        ssl.create_default_context(cafile=FILE)
    except ssl.SSLError as error:
        # It was opened and read: what is missing is a certificate in it.
        return "NO_CERTIFICATE" in str(error)
    return True
