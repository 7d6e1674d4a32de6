# class: files
# rule: read_write_tmp
# success: a file in /tmp is found and read by pathlib
# proof: read
import pathlib

from attack import DIR, attempt


@attempt
def steal():
    return "".join(path.read_text() for path in pathlib.Path(DIR).glob("fil?"))
