"""What the steps of a turn do: ground it, ask a model, say its answer."""
