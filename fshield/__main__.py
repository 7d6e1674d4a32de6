"""``python -m fshield``."""

from fshield.cli.app import main

main()
