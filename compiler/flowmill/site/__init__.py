"""`flowmill site`: the catalogue of all flows as pages that need neither a server nor a network."""
