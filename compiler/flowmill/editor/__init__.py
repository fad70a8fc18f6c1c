"""The language server: what `flowmill validate` and `flowmill explain` know, while somebody types.

One file per feature; `server` joins them. Everything is answered from the last `Snapshot` of a workspace, which is
made of what editors have open and of what lies on disk.
"""
