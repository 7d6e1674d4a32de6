# class: files
# rule: read_write_tmp
# success: an archive is written to /tmp
# proof: new
import zipfile

from attack import NEW, SECRET, attempt


@attempt
def stash():
    with zipfile.ZipFile(NEW, "w") as archive:
        archive.writestr("kept", SECRET)
    return True
