import socket

from probe import probe


def fetch(destination):
    if "lookup" in destination:
        return sorted({found[4][0] for found in socket.getaddrinfo(destination["lookup"], 443)})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(destination["data"].encode(), tuple(destination["datagram"]))


probe(fetch)
