"""The step types of flowmill: one file each, holding its keys and its runtime."""
