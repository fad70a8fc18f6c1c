"""Output formats: one file each, holding `render(compiled, style)`; the file's name is the format's.

A new format is a new module here; nothing else is edited. A module whose name begins with `_` is no format.
"""
