"""``python -m fshield``."""

from fshield.cli import main

main()
