"""A release's list of files, and its verification."""
