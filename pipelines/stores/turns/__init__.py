"""Turns from the question to the last sentence: their steps, what they rest on, answers that are kept."""
