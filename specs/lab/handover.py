"""Adds the values of some sites up, tells how far it is, and hands its result on in a file."""

import csv
import json
import os
import sys
from pathlib import Path

wanted = set(sys.argv[1].split(","))
with Path("data/samples.csv").open(newline="") as file:
    rows = [row for row in csv.DictReader(file) if row["site"] in wanted]
for row in rows:
    print(f"read {row['site']}")
total = sum(int(row["value"]) for row in rows)
Path(os.environ["FLOWMILL_RESULT"]).write_text(json.dumps({"rows": len(rows), "total": total}))
print(f"{len(rows)} sites, {total} in all")
