"""flowmill: scheduled jobs as YAML specs, proved and compiled into Prefect flows."""

__version__ = "0.1.0"
