"""What a function's package brings that the guard cannot see: read before it runs, from its
files."""
