"""Documents on their way: uploads, batches, and the steps of work on each."""
