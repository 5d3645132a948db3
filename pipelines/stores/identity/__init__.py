"""Who may come in: users, logins, keys and tokens."""
