"""The test network: which address belongs to which server, and which names lead there."""

from __future__ import annotations

REGION = "eu-central-1"

RESOLVER = "10.66.0.53"
#: Shared by a dozen names, as an address of a CDN is.
SHARED = "10.66.0.80"
SHARED6 = "fd66::80"
#: Shared by all buckets of the region.
S3 = "10.66.0.83"
#: A server that no policy allows and no name leads to.
WRONG = "10.66.0.66"
XRAY = "10.66.0.20"
XRAY_PORT = 2000
PROXY = "10.66.0.31"
OTHER_PROXY = "10.66.0.32"
PROXY_PORT = 3128
#: The benchmarks' server, which has no front.
QUICK_ADDRESS = "10.66.0.90"
QUICK_PORT = 443
ADDRESSES = (RESOLVER, SHARED, SHARED6, S3, WRONG, XRAY, PROXY, OTHER_PROXY, QUICK_ADDRESS)

API = "api.allowed.example"
#: The canonical name that the API's name is an alias of.
EDGE = "edge.cdn.example"
PLAIN = "plain.allowed.example"
PROXY_NAME = "proxy.allowed.example"
HTTP2 = "h2.allowed.example"
WEBSOCKETS = "ws.allowed.example"
MAIL, MAIL_PORT = "mail.allowed.example", 587
DATABASE, DATABASE_PORT = "db.allowed.example", 5432
#: More addresses than fit in a datagram: the answer is truncated, and the client asks again over
#: TCP.
MANY = "many.allowed.example"
QUICK = "quick.allowed.example"
THIEF = "thief.example"
OTHER_PROXY_NAME = f"proxy.{THIEF}"
#: The API redirects a request for this path to here.
AWAY_PATH = "/away"
AWAY = f"away.{THIEF}"
SUFFIX = f"s3.{REGION}.amazonaws.com"
BUCKET = "allowed-bucket"
OTHER_BUCKET = "thief-bucket"
OBJECT = "object"

#: A port besides 443 and 80 that is served, and that no entry of the policy allows.
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
