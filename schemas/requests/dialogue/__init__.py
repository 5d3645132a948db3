"""Bodies of turns, conversations, memory and speech."""
