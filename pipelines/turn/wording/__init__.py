"""What the words of a question or an answer are about, and our own words in each language."""
