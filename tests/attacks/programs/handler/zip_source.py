# class: handler
# rule: read_handler
# success: the source is read from the archive it was imported from
# proof: read
# when: import
# handler: zip
import zipimport

from attack import HANDLER, attempt


@attempt
def steal():
    return zipimport.zipimporter(HANDLER).get_source("main")
