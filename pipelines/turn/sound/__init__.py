"""Sound as numbers: what it comes in, what it goes out as, and its rates."""
