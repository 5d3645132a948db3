"""Taking documents and entries in, and telling how far they are."""
