# class: handler
# rule: read_handler
# success: the source is read from the archive it was imported from, by way of a function of importlib
# proof: read
# open: a zip is read by importlib's own frames one at a time, and code can have itself
#   called by them, or take their name
# when: import
# handler: zip
import importlib._bootstrap
import zipimport

from attack import HANDLER, attempt


@attempt
def steal():
    archive = zipimport.zipimporter(HANDLER)
    return importlib._bootstrap._call_with_frames_removed(archive.get_source, "main")
