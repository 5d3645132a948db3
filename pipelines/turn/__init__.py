"""The stages of a turn, from the sound of a question to the sound of its answer: pure functions, in rooms."""
