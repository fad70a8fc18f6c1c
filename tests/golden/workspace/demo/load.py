"""Counts the rows of a file: what the cases call when they need a script beside them."""

import sys
from pathlib import Path

print(len(Path(sys.argv[1]).read_text().splitlines()) - 1)
