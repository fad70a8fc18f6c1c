"""What is decided about a flow before it runs."""
