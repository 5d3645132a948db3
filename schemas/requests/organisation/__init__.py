"""Bodies of an organisation's own affairs."""
