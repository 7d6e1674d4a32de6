# class: handler
# rule: read_handler
# success: the archive that the handler was imported from is opened
# proof: read
# when: import
# handler: zip
import zipfile

from attack import HANDLER, attempt


@attempt
def steal():
    with zipfile.ZipFile(HANDLER) as archive:
        return archive.read("main.py")
