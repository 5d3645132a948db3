"""Bodies of accounts and users."""
