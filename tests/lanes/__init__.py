"""``make test``: runs the folders of tests in three lanes, shows progress, and at the end the ten
slowest tests."""
