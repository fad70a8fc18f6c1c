"""Prints the names of the reports in a folder as a JSON list, the oldest first."""

import json
import sys
from pathlib import Path

print(json.dumps(sorted(path.name for path in Path(sys.argv[1]).glob("*.csv"))))
