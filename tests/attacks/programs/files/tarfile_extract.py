# class: files
# rule: read_write_tmp
# success: an archive with names that climb is unpacked into /tmp
# proof: new
import io
import os
import tarfile
import warnings

from attack import NEW, attempt


@attempt
def stash():
    warnings.simplefilter("ignore")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(os.path.basename(NEW))
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"kept"))
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        archive.extractall("/usr/../tmp")
    return True
