"""Bytes -> text -> tree: a spec as a person wrote it, with a place for everything in it."""
