"""Bodies of documents, batches and uploads."""
