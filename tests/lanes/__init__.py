"""``make test``: the folders of tests in two lanes, with progress, and the slowest ten at the
end."""
