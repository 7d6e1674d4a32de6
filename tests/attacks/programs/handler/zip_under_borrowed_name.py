# class: handler
# rule: read_handler
# success: the archive that the handler was imported from is opened by code that says it is the
#   import system
# proof: read
# unreported: a policy that only reports lets the import system read the archive itself, and knows
#   it by its frames' names
# when: import
# handler: zip
import io
import zipfile

from attack import HANDLER, attempt

READ = "def read(path):\n    with open(path, 'rb') as opened:\n        return opened.read()\n"
CALL = "def call(function, path):\n    return function(path)\n"


@attempt
def steal():
    names = {}
    exec(compile(READ, "<frozen zipimport>", "exec"), names)
    exec(compile(CALL, "<frozen importlib._bootstrap>", "exec"), names)
    with zipfile.ZipFile(io.BytesIO(names["call"](names["read"], HANDLER))) as archive:
        return archive.read("main.py")
