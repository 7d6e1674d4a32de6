# class: files
# rule: read_write_tmp
# success: an object that dies with its module, while Python shuts down, reads a file in /tmp
# proof: read
import io
import os

from attack import FILE, show


class Last:
    file_io, exit, show, name = io.FileIO, os._exit, staticmethod(show), FILE

    def __del__(self):
        try:
            found = self.file_io(self.name).read()
        except OSError as error:
            found = str(error)
        self.exit(0 if self.show(found) else 1)


last = Last()
