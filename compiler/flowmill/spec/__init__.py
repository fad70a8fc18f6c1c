"""The documents of the language as models, and how a tree of values becomes one of them."""
