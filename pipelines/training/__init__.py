"""Lists of entries, as files that people keep: read row by row, and written so that they come back the same."""
