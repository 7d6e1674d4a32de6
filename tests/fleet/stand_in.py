"""A stand-in for Lambda on loopback: moto's server, behind a proxy that adds what moto lacks.

It adds revisions, which are checked, and which change once more when an update ends; updates that
take a while and refuse another one meanwhile; pages of ListFunctions; the limits of five layers and
4 KB; throttling; and the failures and the changes by other users that a test orders.
"""

from __future__ import annotations

import atexit
import http.client
import json
import random
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session
from botocore.config import Config
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
ACCOUNT = "123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
PAGE = 50
_CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/[^/]+/(?P<region>[^/]+)/")
_FUNCTION = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)(?P<rest>/.*)?\Z")


Credentials = tuple[str, str, str | None]
_making = threading.Lock()


@cache
def _session() -> Any:
    """One session for all clients, because reading the service descriptions takes long."""
    return botocore.session.Session()


@cache
def client_of(
    url: str, service: str, region: str, keys: Credentials = ("testing", "testing", None)
) -> Any:
    """A cached client."""
    key, secret, token = keys
    with _making:
        return _session().create_client(
            service,
            region_name=region,
            endpoint_url=url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(max_pool_connections=20),
        )


@cache
def moto_port() -> int:
    """moto's server, started only once, because it takes a second to load a service. Each stand-in
    empties it."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    atexit.register(moto.stop)
    return int(moto.get_host_and_port()[1])


@dataclass
class Orders:
    """What a test orders from the stand-in.

    Args:
        throttle: the share of requests that get a 429.
        rate: requests a second; above that, every request gets a 429; None: no limit.
        update_s: the duration of an update in seconds.
        failures: for each function, the (status, code, message) of its update.
        denied: operations that are not permitted.
        unanswered: operations that end with an internal error of AWS.
        before_update: called with the function's name before its update is checked.
        before_publish: called with the function's name before a version is published.
        before_alias: called with the function's name before an alias's update is checked.
        version_s: how long a published version stays pending, in seconds.
        unreadable: functions whose variables cannot be decrypted.
        update_fails: functions whose updates end with the status Failed.
    """

    throttle: float = 0.0
    rate: float | None = None
    update_s: float = 0.0
    failures: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    before_update: Callable[[str], None] | None = None
    before_publish: Callable[[str], None] | None = None
    before_alias: Callable[[str], None] | None = None
    version_s: float = 0.0
    unreadable: set[str] = field(default_factory=set)
    update_fails: set[str] = field(default_factory=set)


class StandIn:
    """The stand-in. A test may change `orders` while it runs."""

    def __init__(self, moto_port: int) -> None:
        self.moto_port = moto_port
        self.orders = Orders()
        self.operations: Counter[str] = Counter()
        self.throttled = 0
        #: The arguments of each AddLayerVersionPermission: moto forgets the organization.
        self.permissions: list[dict[str, Any]] = []
        self.lock = threading.RLock()
        self.random = random.Random(20261125)
        self.accounts = {"testing": ACCOUNT}
        self.roles: dict[str, Credentials] = {}
        self.revisions: dict[str, str] = {}
        self.busy_until: dict[str, float] = {}
        self.pending_until: dict[str, float] = {}
        self.recent: list[float] = []
        self.server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"stand_in": self})
        )
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.moto_url = f"http://127.0.0.1:{moto_port}"

    def client(self, service: str, region: str = REGION, account: str = ACCOUNT) -> Any:
        """A client of moto itself, without the proxy. It reaches another account through a role
        there."""
        if account == ACCOUNT:
            return client_of(self.moto_url, service, region)
        if account not in self.roles:
            role = f"arn:aws:iam::{account}:role/tests"
            sts = client_of(self.moto_url, "sts", REGION)
            found = sts.assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]
            self.roles[account] = tuple(
                found[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
            )
        return client_of(self.moto_url, service, region, self.roles[account])

    def account_of(self, key: str) -> str:
        """The account that an access key belongs to, according to moto."""
        with self.lock:
            if key not in self.accounts:
                sts = client_of(self.moto_url, "sts", REGION, (key, "testing", None))
                self.accounts[key] = sts.get_caller_identity()["Account"]
            return self.accounts[key]

    def revision(self, name: str) -> str:
        """The function's current revision. It changes once more when an update has ended."""
        with self.lock:
            if name in self.busy_until and time.monotonic() >= self.busy_until[name]:
                del self.busy_until[name]
                self.revisions[name] = str(uuid.uuid4())
            return self.revisions.setdefault(name, str(uuid.uuid4()))

    def touched(self, name: str, seconds: float) -> None:
        """Record that an update of the function has begun. A plain name means the default region
        and account."""
        if "/" not in name:
            name = f"{ACCOUNT}/{REGION}/{name}"
        with self.lock:
            self.revisions[name] = str(uuid.uuid4())
            self.busy_until[name] = time.monotonic() + seconds

    def over_limit(self) -> bool:
        """Whether this request exceeds the limit."""
        with self.lock:
            if self.random.random() < self.orders.throttle:
                return True
            if self.orders.rate is None:
                return False
            now = time.monotonic()
            self.recent = [at for at in self.recent if now - at < 1.0]
            if len(self.recent) >= self.orders.rate:
                return True
            self.recent.append(now)
            return False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stand_in: StandIn

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, content = self._judge(body)
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

    def _judge(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        orders = self.stand_in.orders
        operation, name = self._operation(body)
        if self.stand_in.over_limit():
            self.stand_in.throttled += 1
            return _error(429, "TooManyRequestsException", "Rate exceeded")
        self.stand_in.operations[operation] += 1
        if operation in orders.denied:
            return _error(
                403, "AccessDeniedException", f"User is not authorized to perform: {operation}"
            )
        if operation in orders.unanswered:
            return _error(500, "ServiceException", "Service error")
        judges = {
            "UpdateFunctionConfiguration": self._wrong_update,
            "PublishVersion": self._wrong_version,
            "UpdateAlias": self._wrong_alias,
        }
        wrong = judges[operation](name, json.loads(body)) if operation in judges else None
        if wrong:
            return wrong
        if operation == "AddLayerVersionPermission":
            self.stand_in.permissions.append(json.loads(body))
        if operation == "ListFunctions":
            return self._page()
        status, headers, content = self._forward(_as_moto(operation, body))
        if status < 300:
            content = self._as_lambda(operation, name, content)
        return status, headers, content

    def _as_lambda(self, operation: str, name: str, content: bytes) -> bytes:
        """Add to moto's answer what moto leaves out."""
        stand_in = self.stand_in
        if operation == "UpdateFunctionConfiguration":
            stand_in.touched(self._key(name), stand_in.orders.update_s)
        if operation in {"GetFunctionConfiguration", "UpdateFunctionConfiguration"}:
            return json.dumps(self._completed(json.loads(content), name)).encode()
        if operation in {"GetAlias", "UpdateAlias"}:
            alias = json.loads(content)
            return json.dumps({**alias, "RevisionId": _revision(alias)}).encode()
        if operation == "PublishVersion":
            number = json.loads(content)["Version"]
            pending = time.monotonic() + stand_in.orders.version_s
            stand_in.pending_until.setdefault(f"{self._key(name)}:{number}", pending)
        return content

    def _key(self, name: str) -> str:
        """A key that differs between functions of the same name in different accounts and
        regions."""
        found = _CREDENTIAL.search(self.headers.get("Authorization") or "")
        if not found:
            return name
        return f"{self.stand_in.account_of(found['key'])}/{found['region']}/{name}"

    def _operation(self, body: bytes) -> tuple[str, str]:
        parts = urlsplit(self.path)
        if b"Action=AssumeRole&" in body + b"&":
            return "AssumeRole", ""
        target = self.headers.get("X-Amz-Target")
        if target:
            return target.rpartition(".")[2], ""
        if parts.path.startswith("/service/"):
            return parts.path.rpartition("/")[2], ""
        if (
            parts.path in {"/2015-03-31/functions", "/2015-03-31/functions/"}
            and self.command == "GET"
        ):
            return "ListFunctions", ""
        found = _FUNCTION.match(parts.path)
        name = unquote(found["name"]) if found else ""
        rest = (found["rest"] or "").rstrip("/") if found else ""
        method = self.command
        table = {
            ("GET", "/configuration"): "GetFunctionConfiguration",
            ("PUT", "/configuration"): "UpdateFunctionConfiguration",
            ("POST", "/versions"): "PublishVersion",
            ("GET", "/aliases"): "ListAliases",
        }
        if (method, rest) in table:
            return table[method, rest], name
        if rest.startswith("/aliases/"):
            return {"GET": "GetAlias", "PUT": "UpdateAlias"}.get(method, "?"), name
        path = unquote(parts.path)
        if "/layers/" in path:
            if path.endswith("/policy"):
                return {"POST": "AddLayerVersionPermission", "GET": "GetLayerVersionPolicy"}.get(
                    method, "?"
                ), ""
            if path.endswith("/versions"):
                return {"POST": "PublishLayerVersion", "GET": "ListLayerVersions"}.get(
                    method, "?"
                ), ""
            return {"GET": "GetLayerVersion", "DELETE": "DeleteLayerVersion"}.get(method, "?"), ""
        return f"{method} {path}", name

    def _wrong_update(
        self, name: str, asked: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes] | None:
        stand_in, orders = self.stand_in, self.stand_in.orders
        if orders.before_update:
            orders.before_update(name)
        if name in orders.failures:
            return _error(*orders.failures[name])
        if asked.get("RevisionId") not in (None, stand_in.revision(self._key(name))):
            return _error(
                412,
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest",
            )
        if self._key(name) in stand_in.busy_until:
            return _error(
                409, "ResourceConflictException", "An update is in progress for resource: " + name
            )
        if len(asked.get("Layers", [])) > 5:
            return _error(
                400, "InvalidParameterValueException", "Cannot reference more than 5 layers."
            )
        variables = asked.get("Environment", {}).get("Variables", {})
        measured = json.dumps(variables, separators=(",", ":"))
        if len(measured) > 4096:
            message = (
                "the environment variables you have provided exceeded the 4KB limit. String"
                " measured: " + measured
            )
            return _error(400, "InvalidParameterValueException", message)
        return None

    def _wrong_version(
        self, name: str, asked: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes] | None:
        stand_in = self.stand_in
        if stand_in.orders.before_publish:
            stand_in.orders.before_publish(name)
        if asked.get("RevisionId") not in (None, stand_in.revision(self._key(name))):
            return _error(
                412,
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest",
            )
        code = self._client().get_function_configuration(FunctionName=name)["CodeSha256"]
        if asked.get("CodeSha256") not in (None, code):
            message = (
                f"CodeSHA256 ({asked['CodeSha256']}) is different from current CodeSHA256 in"
                f" $LATEST ({code})."
            )
            return _error(400, "InvalidParameterValueException", message)
        return None

    def _client(self) -> Any:
        """A client of moto for the account and region of this request."""
        found = _CREDENTIAL.search(self.headers.get("Authorization") or "")
        region = found["region"] if found else REGION
        account = self.stand_in.account_of(found["key"]) if found else ACCOUNT
        return self.stand_in.client("lambda", region, account)

    def _wrong_alias(
        self, name: str, asked: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes] | None:
        if self.stand_in.orders.before_alias:
            self.stand_in.orders.before_alias(name)
        client, alias = self._client(), unquote(urlsplit(self.path).path).rpartition("/")[2]
        there = client.get_alias(FunctionName=name, Name=alias)
        # moto never changes the revision of an alias. Here it is a hash of everything that the
        # alias says.
        if asked.get("RevisionId") not in (None, _revision(there)):
            return _error(
                412,
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest",
            )
        known = {
            each["Version"]
            for each in client.list_versions_by_function(FunctionName=name)["Versions"]
        }
        shares = (asked.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        if len(shares) > 1 or not {asked["FunctionVersion"], *shares} <= known - {"$LATEST"}:
            return _error(400, "InvalidParameterValueException", f"Invalid versions: {shares}")
        return None

    def _completed(self, answer: dict[str, Any], name: str) -> dict[str, Any]:
        stand_in = self.stand_in
        answer["RevisionId"] = stand_in.revision(self._key(name))
        busy = self._key(name) in stand_in.busy_until
        failed = (
            name in stand_in.orders.update_fails
            and not busy
            and self._key(name) in stand_in.revisions
        )
        number = f"{self._key(name)}:{answer.get('Version')}"
        if time.monotonic() < stand_in.pending_until.get(number, 0):
            answer["State"] = "Pending"
        answer["LastUpdateStatus"] = "InProgress" if busy else "Failed" if failed else "Successful"
        if failed:
            answer["LastUpdateStatusReason"] = "the subnet has no address left"
        if name in stand_in.orders.unreadable:
            answer["Environment"] = {
                "Error": {"ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt"}
            }
        return answer

    def _page(self) -> tuple[int, dict[str, str], bytes]:
        # moto returns all functions in one page.
        start = int(parse_qs(urlsplit(self.path).query).get("Marker", ["0"])[0])
        self.path = urlsplit(self.path).path
        _, headers, content = self._forward(b"")
        found = json.loads(content)["Functions"]
        page: dict[str, Any] = {"Functions": []}
        for answer in found[start : start + PAGE]:
            whole = self._completed(answer, answer["FunctionName"])
            page["Functions"].append(
                {k: v for k, v in whole.items() if k not in {"State", "LastUpdateStatus"}}
            )
        if start + PAGE < len(found):
            page["NextMarker"] = str(start + PAGE)
        return 200, headers, json.dumps(page).encode()

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.stand_in.moto_port, timeout=30)
        headers = {
            k: v
            for k, v in self.headers.items()
            if k.lower() not in {"host", "connection", "content-length"}
        }
        headers["Host"] = f"127.0.0.1:{self.stand_in.moto_port}"
        try:
            connection.request(self.command, self.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        kept = {
            k: v
            for k, v in answer.getheaders()
            if k.lower() in {"content-type", "smithy-protocol", "x-amzn-errortype"}
        }
        return answer.status, kept, content


def _as_moto(operation: str, body: bytes) -> bytes:
    """Translate a request into the form that moto understands."""
    if operation == "UpdateAlias":
        asked = json.loads(body)
        # An alias without shares must have no RoutingConfig, but moto would keep an empty one.
        if asked.get("RoutingConfig") == {"AdditionalVersionWeights": {}}:
            return json.dumps({**asked, "RoutingConfig": {}}).encode()
    return body


def _revision(alias: dict[str, Any]) -> str:
    shares = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    content = f"{alias['AliasArn']} {alias['FunctionVersion']} {sorted(shares.items())}"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, content))


def _error(status: int, code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    content = json.dumps({"Type": "User", "Message": message, "message": message}).encode()
    return status, {"Content-Type": "application/json", "x-amzn-ErrorType": code}, content


@contextmanager
def running() -> Iterator[StandIn]:
    """An empty moto, and a new proxy in front of it."""
    port = moto_port()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()
    stand_in = StandIn(port)
    # shutdown() waits for the next poll.
    serve = partial(stand_in.server.serve_forever, poll_interval=0.05)
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield stand_in
    finally:
        stand_in.server.shutdown()
        stand_in.server.server_close()
