"""Celery tasks: they read a row by id, call a pure stage, and commit its effect."""
