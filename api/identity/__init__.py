"""People and programs that may come in: accounts, users, keys, and the mails about them."""
