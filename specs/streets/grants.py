"""Prints the SQL that gives a role its rights on one schema."""

import argparse
import re

RIGHTS = {"reader": "SELECT", "editor": "SELECT, INSERT, UPDATE, DELETE"}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("schema")
parser.add_argument("role", choices=RIGHTS)
arguments = parser.parse_args()
if not re.fullmatch(r"[a-z][a-z0-9_]*", arguments.schema):
    raise SystemExit(f"{arguments.schema!r} is not the name of a schema")
print(f"GRANT USAGE ON SCHEMA {arguments.schema} TO {arguments.role};")
print(f"GRANT {RIGHTS[arguments.role]} ON ALL TABLES IN SCHEMA {arguments.schema} TO {arguments.role};")
