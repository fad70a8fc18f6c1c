"""Counts how the loads of some files have ended, and names those that have not been loaded."""

import json
import sys

files, states = (json.loads(argument) for argument in sys.argv[1:])
missing = [file for file, state in zip(files, states, strict=True) if state != "success"]
print(f"{len(files) - len(missing)} of {len(files)} files loaded" + (f", not {', '.join(missing)}" if missing else ""))
