"""Ruby's runtime client is pure Ruby, and uses Net::HTTP for invocations and answers. A stand-in
plays it here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fshield.runtimes import runtimes
from tests.runtimes.api import Served, serve
from tests.runtimes.tried import others, start_of
from tests.support import settle

RUBIES = {name: path for name, path in others().items() if name.startswith("ruby")}
pytestmark = pytest.mark.skipif(not RUBIES, reason="run tests/runtimes/fetch.sh")


@pytest.fixture(params=RUBIES)
def ruby(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def run(
    ruby: str, folder: Path, handler: str, events: list[Any], policy: Any, **env: str
) -> Served:
    start = start_of(runtimes()[ruby], RUBIES[ruby])
    (folder / "app.rb").write_text(handler)
    settle()
    return serve(start.words, task=folder, events=events, policy=policy, env={**start.env, **env})


ANSWERS = """
def handler(event:, context:)
  raise 'as it was asked' if event == 'fails'
  event.is_a?(Integer) ? 'a' * event : event
end
"""


@pytest.mark.parametrize("policy", ["default", "strict"])
def test_answers_and_errors(ruby: str, tmp_path: Path, policy: str) -> None:
    events = [1, "fails", 300000, {"a": 1}, "fails", "é"]
    bare = run(ruby, tmp_path, ANSWERS, events, None)
    done = run(ruby, tmp_path, ANSWERS, events, policy)
    assert done.answers == bare.answers and len(done.answers) == 6, done.output
    assert done.bodies[1] == "error" and len(done.bodies[2]) == 300000
    assert done.violations == []


def test_an_error_of_initialisation_is_reported(ruby: str, tmp_path: Path) -> None:
    done = run(ruby, tmp_path, "raise 'at the start'", [1], "default")
    (printed,) = done.init_errors
    assert b"at the start" in printed and done.violations == [], done.output


OTHERS = """
require 'net/http'
PLACE = "http://#{ENV['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/"

def code
  yield.code
rescue SystemCallError => error
  error.class.name.delete_prefix('Errno::')
end

def handler(event:, context:)
  id = context.aws_request_id
  [
    code { Net::HTTP.get_response(URI(PLACE + 'invocation/next')) },
    code { Net::HTTP.post(URI(PLACE + 'invocation/another/error/more'), '{}') },
    code { Net::HTTP.post(URI(PLACE + "invocation/#{id}/responses"), '"theirs"') },
    code { Net::HTTP.post(URI(PLACE + 'restore/error'), '{}') },
    code { Net::HTTP.post(URI(PLACE + 'logs'), '{}') },
  ]
end
"""


def test_others_do_not_take_invocations(ruby: str, tmp_path: Path) -> None:
    done = run(ruby, tmp_path, OTHERS, [1, 2], "default")
    assert done.bodies == [["EACCES"] * 5] * 2, done.output
    assert {event["policy"] for event in done.violations} == {"runtime_api"}


TWICE = """
require 'net/http'
def handler(event:, context:)
  place = "http://#{ENV['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
  2.times do
    Net::HTTP.post(URI(place + context.aws_request_id + '/response'), '"theirs"')
  rescue Errno::EACCES
  end
end
"""


def test_an_invocation_is_answered_once(ruby: str, tmp_path: Path) -> None:
    """A dependency can be quicker to answer. Then the client's own answer fails, and an event
    reports it."""
    # Without the second event, the API would end the runtime before the others are refused.
    done = run(ruby, tmp_path, TWICE, [1, 2], "default")
    assert done.bodies == ["theirs"], done.output
    assert {event["policy"] for event in done.violations} == {"runtime_api"}


SOURCE = """
module Shop
  def self.code
    yield && 'passed'
  rescue SystemCallError, LoadError => error
    error.class.name.delete_prefix('Errno::')
  end
  AT_IMPORT = [
    code { File.read(__FILE__) },
    code { File.open(__FILE__, File::RDONLY | File::NONBLOCK).read },
    code { load(__FILE__) },
  ]
  module Orders
    def self.handler(event:, context:)
      AT_IMPORT + [Shop.code { IO.readlines(__FILE__) }, Shop.code { File.binread(__FILE__) }]
    end
  end
end
def handler(event:, context:)
  Shop::Orders.handler(event:, context:)
end
"""


@pytest.mark.parametrize("name", ["app.handler", "app.Shop::Orders.handler"])
def test_nobody_reads_the_source_once_it_is_there(ruby: str, tmp_path: Path, name: str) -> None:
    """`require` itself opens the file twice."""
    done = run(ruby, tmp_path, SOURCE, [1], "default", _HANDLER=name)
    assert done.bodies == [["EACCES", "EACCES", "LoadError", "EACCES", "EACCES"]], done.output
    assert {event["policy"] for event in done.violations} == {"read_handler"}


KEEPS = """
def handler(event:, context:)
  seen = Dir.children('/tmp').grep(/\\A#{ENV['KEPT']}/)
  File.write("/tmp/#{ENV['KEPT']}#{event}", 'a')
  seen
end
"""


def test_what_an_invocation_makes_in_tmp_goes_with_it(ruby: str, tmp_path: Path) -> None:
    policy = {"version": 1, "policy": {"default": "allow", "read_write_tmp": {"mode": "ephemeral"}}}
    name = f"function-shield-{os.getpid()}-{ruby}-"
    try:
        done = run(ruby, tmp_path, KEEPS, [1, 2, 3], policy, KEPT=name)
    finally:
        for left in Path("/tmp").glob(f"{name}*"):
            left.unlink()
    assert done.bodies == [[], [], []], done.output
