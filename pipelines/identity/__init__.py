"""Who somebody is: passwords, signed tokens, bearer secrets, and what a role may do. Nothing here asks a store."""
