"""Which model answers, and its answer as it is being written: in time, sentence by sentence."""
