"""Knowledge beside documents: texts, entries, search, what was not answered, and how well it is."""
