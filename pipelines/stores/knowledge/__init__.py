"""What has become of documents and entries: chunks, what is counted over them, and search."""
