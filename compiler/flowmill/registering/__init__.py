"""What a Prefect server is to be told about the flows of an environment, and what of that it has to be told."""
