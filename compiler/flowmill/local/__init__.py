"""Running a flow here and now, on a person's own machine: secrets from a file, messages to an outbox."""
