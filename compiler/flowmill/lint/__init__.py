"""What is no error of the language but probably a mistake, a surprise or against a team's own rules.

One file per rule, in `rules/`; `flowmill.yaml` says which of them hold, and a comment beside a line can except it.
"""
