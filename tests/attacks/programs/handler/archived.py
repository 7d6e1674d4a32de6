# class: handler
# rule: read_handler
# success: the source is put into an archive, and read from there
# proof: read
# when: import
import io
import tarfile

from attack import HANDLER, attempt


@attempt
def steal():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(HANDLER)
    return packed.getvalue()
