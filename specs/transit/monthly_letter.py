"""Adds up the rides of the month before today: prints a letter, and gives its numbers to the steps behind."""

import argparse
import csv
import json
import os
from collections import Counter
from datetime import date
from pathlib import Path

from months import month_before, month_of

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--today", type=date.fromisoformat, required=True)
parser.add_argument("rides", type=Path)
arguments = parser.parse_args()

month = month_before(arguments.today)
rides: Counter[str] = Counter()
with arguments.rides.open(newline="") as file:
    for row in csv.DictReader(file):
        if month_of(date.fromisoformat(row["day"])) == month:
            rides[row["line"]] += int(row["rides"])
if not rides:
    raise SystemExit(f"{arguments.rides} has no rides in {month}")

print(f"Good morning,\n\nthese were the rides in {month}:\n")
for line, count in sorted(rides.items()):
    print(f"  {line:<8} {count:>6}")
print(f"  {'together':<8} {rides.total():>6}")
Path(os.environ["FLOWMILL_RESULT"]).write_text(json.dumps({"month": month, "rides": rides.total()}))
