"""What a model is told: the conversation so far, who asks, and how to sound."""
