# class: no_event
# rule: read_write_tmp
# success: the key log of TLS is made in /tmp
# proof: new
# needs: module:ssl
import ssl

from attack import NEW, attempt


@attempt
def stash():
    ssl.create_default_context().keylog_filename = NEW
    return True
