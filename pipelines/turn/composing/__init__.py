"""Answers that need no model: kept, taken word for word, or made of what the passages state."""
