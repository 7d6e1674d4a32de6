# class: lambda
# rule: runtime_api
# policy: child-allowed.yaml
# success: a child without an environment reaches the Runtime API
# proof: api
from attack import API, attempt, child


@attempt
def connect():
    return b"sent" in child(
        "import socket; socket.create_connection(%r, 3).send(b'GET /'); print('sent')" % (API,),
        env={},
    )
