"""The commands that guard functions on Lambda, one module each."""
