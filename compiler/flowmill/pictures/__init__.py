"""Pictures of flows: one file per format, all drawn from the same `Graph`."""
