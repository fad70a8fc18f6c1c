"""What git knows about the specs: which commit a flow dates from, and how flows differ between two commits."""
