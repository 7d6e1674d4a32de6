"""``make test``: the folders of tests in three lanes, with progress, and the slowest ten at the
end."""
