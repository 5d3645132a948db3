"""An organisation's own affairs: its assistants, settings, usage, costs, webhooks, and its end."""
