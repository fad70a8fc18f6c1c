"""Step types that look at the network."""
