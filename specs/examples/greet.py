"""Prints a greeting, as often as it is told to."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--times", type=int, default=1)
parser.add_argument("greeting")
arguments = parser.parse_args()
for count in range(1, arguments.times + 1):
    print(f"{count}: {arguments.greeting}")
