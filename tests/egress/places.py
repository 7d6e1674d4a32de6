"""The test network: who has which address, and which names lead there."""

from __future__ import annotations

REGION = "eu-central-1"

RESOLVER = "10.66.0.53"
#: Where a dozen names meet, as they do at a CDN.
SHARED = "10.66.0.80"
SHARED6 = "fd66::80"
#: Where all buckets of the region meet.
S3 = "10.66.0.83"
XRAY = "10.66.0.20"
XRAY_PORT = 2000
PROXY = "10.66.0.31"
OTHER_PROXY = "10.66.0.32"
PROXY_PORT = 3128
#: The server of benchmarks, which no front stands before.
QUICK_ADDRESS = "10.66.0.90"
QUICK_PORT = 443
ADDRESSES = (RESOLVER, SHARED, SHARED6, S3, XRAY, PROXY, OTHER_PROXY, QUICK_ADDRESS)

API = "api.allowed.example"
#: What the API's name is an alias of.
EDGE = "edge.cdn.example"
PLAIN = "plain.allowed.example"
PROXY_NAME = "proxy.allowed.example"
QUICK = "quick.allowed.example"
THIEF = "thief.example"
OTHER_PROXY_NAME = f"proxy.{THIEF}"
#: Where the API sends whoever asks for this path.
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
    f"--address=/allowed.example/{SHARED}",
    f"--host-record={PROXY_NAME},{PROXY}",
    f"--host-record={OTHER_PROXY_NAME},{OTHER_PROXY}",
    f"--address=/{THIEF}/{SHARED}",
    f"--address=/{SUFFIX}/{S3}",
)
