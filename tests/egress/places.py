"""The test network: who has which address, and which names lead there."""

from __future__ import annotations

REGION = "eu-central-1"

RESOLVER = "10.66.0.53"
#: Where a dozen names meet, as they do at a CDN.
SHARED = "10.66.0.80"
SHARED6 = "fd66::80"
#: Where all buckets of the region meet.
S3 = "10.66.0.83"
#: A server that nothing allows, and no name leads to.
WRONG = "10.66.0.66"
XRAY = "10.66.0.20"
XRAY_PORT = 2000
PROXY = "10.66.0.31"
OTHER_PROXY = "10.66.0.32"
PROXY_PORT = 3128
#: The server of benchmarks, which no front stands before.
QUICK_ADDRESS = "10.66.0.90"
QUICK_PORT = 443
ADDRESSES = (RESOLVER, SHARED, SHARED6, S3, WRONG, XRAY, PROXY, OTHER_PROXY, QUICK_ADDRESS)

API = "api.allowed.example"
#: What the API's name is an alias of.
EDGE = "edge.cdn.example"
PLAIN = "plain.allowed.example"
PROXY_NAME = "proxy.allowed.example"
HTTP2 = "h2.allowed.example"
WEBSOCKETS = "ws.allowed.example"
MAIL, MAIL_PORT = "mail.allowed.example", 587
DATABASE, DATABASE_PORT = "db.allowed.example", 5432
#: More addresses than a datagram has room for: the answer is truncated, and asked for by TCP.
MANY = "many.allowed.example"
QUICK = "quick.allowed.example"
THIEF = "thief.example"
OTHER_PROXY_NAME = f"proxy.{THIEF}"
#: Where the API redirects a request for this path.
AWAY_PATH = "/away"
AWAY = f"away.{THIEF}"
SUFFIX = f"s3.{REGION}.amazonaws.com"
BUCKET = "allowed-bucket"
OTHER_BUCKET = "thief-bucket"
OBJECT = "object"

#: What listens besides 443 and 80: nothing in the policy allows it.
OTHER_PORT = 8443

DNSMASQ = (
    f"--listen-address={RESOLVER}",
    "--bind-interfaces",
    f"--host-record={EDGE},{SHARED},{SHARED6}",
    f"--cname={API},{EDGE}",
    f"--host-record={PLAIN},{SHARED}",
    f"--host-record={QUICK},{QUICK_ADDRESS}",
    *(f"--host-record={MANY},10.67.0.{last}" for last in range(1, 61)),
    f"--address=/allowed.example/{SHARED}",
    f"--host-record={PROXY_NAME},{PROXY}",
    f"--host-record={OTHER_PROXY_NAME},{OTHER_PROXY}",
    f"--address=/{THIEF}/{SHARED}",
    f"--address=/{SUFFIX}/{S3}",
)
