import os
from pathlib import Path

import grpc
from probe import probe

roots = Path(os.environ["SSL_CERT_FILE"]).read_bytes()


def fetch(destination):
    options = [("grpc.enable_retries", 0)]
    if "server_name" in destination:
        options.append(("grpc.ssl_target_name_override", destination["server_name"]))
    with grpc.secure_channel(
        destination["target"], grpc.ssl_channel_credentials(roots), options
    ) as channel:
        return channel.unary_unary("/egress.Probe/Say")(
            destination["data"].encode(), timeout=20
        ).decode()


probe(fetch)
