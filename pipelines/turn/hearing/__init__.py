"""From a microphone to a question: where speech begins and ends, and what was said."""
