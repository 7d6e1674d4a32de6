import sys

from tests.prose.check import main

sys.exit(main(sys.argv[1:]))
