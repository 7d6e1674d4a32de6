# class: handler
# rule: read_handler
# success: a thread that was waiting reads the source
# proof: read
# when: import
import threading

from attack import HANDLER, attempt


@attempt
def steal():
    found = []

    def read():
        try:
            found.append(open(HANDLER).read())
        except OSError as error:
            found.append(str(error))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    return found[0]
