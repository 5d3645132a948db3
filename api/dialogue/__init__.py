"""Asking and answering over HTTP: turns, conversations, what is remembered of them, and speech."""
