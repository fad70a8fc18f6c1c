"""Counts the rows of a file: what the cases call when they need a script beside them."""

import sys
from pathlib import Path

rows = Path(sys.argv[1]).read_text().splitlines()
sys.stdout.write(f"{len(rows) - 1}\n")
