"""Carrying out plans on Prefect: the only package that imports it."""
