"""Counts the orders of a file by product."""

import csv
import sys
from collections import Counter
from pathlib import Path

with Path(sys.argv[1]).open(newline="") as file:
    counts = Counter(row["product"] for row in csv.DictReader(file))
for product, count in sorted(counts.items()):
    print(f"{product:<6} {count}")
print(f"{counts.total()} in all")
