"""Formats of pictures: one file each, holding `draw(graph, style)`; the file's name is the format's.

A new format is a new module here; nothing else is edited. `ENDINGS` are the ends of the names of its files.
"""
