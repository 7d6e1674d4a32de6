# class: network
# rule: outbound_connectivity
# success: one of many threads that connect at once gets through
# proof: sink
import socket
import threading

from attack import SINK, attempt


@attempt
def connect():
    done = []

    def work():
        for _ in range(50):
            with socket.socket() as out:
                out.settimeout(1)
                if out.connect_ex(SINK) == 0:
                    done.append(True)
                    return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return bool(done)
