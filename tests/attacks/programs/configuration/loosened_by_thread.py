# class: configuration
# rule: read_write_tmp
# policy: reconfigurable.yaml
# success: another thread uses what the cookie's owner loosened for its own thread
# proof: read
import threading

from attack import FILE, attempt

found = []
loosened, over = threading.Event(), threading.Event()


def owner():
    try:
        import function_shield

        cookie = function_shield.configure({"policy": {"read_write_tmp": "alert"}})
        function_shield.configure({"policy": {"read_write_tmp": "allow"}, "cookie": cookie})
    except ImportError:
        pass
    loosened.set()
    over.wait(5)


@attempt
def steal():
    thread = threading.Thread(target=owner)
    thread.start()
    loosened.wait(5)
    try:
        with open(FILE) as opened:
            return opened.read()
    finally:
        over.set()
        thread.join()
