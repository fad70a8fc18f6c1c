"""`python -m flowmill`."""

from flowmill.cli import main

main()
