"""Adds up the trips of one month by provider and prints them as a table."""

import argparse
import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path


def month_before(today: date) -> str:
    """The month before the one that `today` is in, as `2026-10`."""
    return (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--month", default="previous")
parser.add_argument("--today", type=date.fromisoformat, default=date.today())
parser.add_argument("trips", type=Path)
arguments = parser.parse_args()
month = month_before(arguments.today) if arguments.month == "previous" else arguments.month
with arguments.trips.open(newline="") as file:
    trips = [row for row in csv.DictReader(file) if row["start"].startswith(month)]
counts = Counter(row["provider"] for row in trips)
print(f"trips in {month}")
for provider, count in sorted(counts.items()):
    print(f"  {provider:<10} {count:>4}")
print(f"{len(trips)} trips, {sum(int(row['minutes']) for row in trips)} minutes")
