# class: handler
# rule: read_handler
# success: the source is read from the archive it was imported from, by way of a function of
#   importlib
# proof: read
# quiet: the import system gets a copy of the archive in which the handler is blank, and imports
#   other modules from it
# when: import
# handler: zip
import importlib._bootstrap
import zipimport

from attack import HANDLER, attempt


@attempt
def steal():
    archive = zipimport.zipimporter(HANDLER)
    return importlib._bootstrap._call_with_frames_removed(archive.get_source, "main")
