"""The language server: what `flowmill validate` and `flowmill explain` know, while somebody types.

One file per feature; `serving` gives each its name in the protocol, `server` keeps what they are asked about.
Everything is answered from the last `Snapshot` of a workspace, which is made of what editors have open and of what
lies on disk. `cursor_at` tells where somebody types, in a text that may be broken; `place_at` tells what stands at a
place of the last text that could be read.
"""
