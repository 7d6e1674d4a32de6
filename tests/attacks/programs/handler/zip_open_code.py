# class: handler
# rule: read_handler
# success: the archive that the handler was imported from is read by io.open_code, by code that says
#   it is the import system
# proof: read
# quiet: the import system gets a copy of the archive in which the handler is blank, and imports
#   other modules from it
# when: import
# handler: zip
import io
import zipfile

from attack import HANDLER, attempt

READ = (
    "import io\ndef read(path):\n    with io.open_code(path) as opened:\n        return"
    " opened.read()\n"
)
CALL = "def call(function, path):\n    return function(path)\n"


@attempt
def steal():
    names = {}
    exec(compile(READ, "<frozen zipimport>", "exec"), names)
    exec(compile(CALL, "<frozen importlib._bootstrap>", "exec"), names)
    with zipfile.ZipFile(io.BytesIO(names["call"](names["read"], HANDLER))) as archive:
        return archive.read("main.py")
