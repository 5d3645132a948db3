"""Bodies of entries, search and evaluations."""
