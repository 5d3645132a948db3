"""What an answer may say: whether its sources support it, where they stand, and what must not pass."""
