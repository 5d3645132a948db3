"""From a sentence to its sound: how it is read aloud, by whom, and what is said when there is no answer."""
