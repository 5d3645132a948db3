"""What is pure about webhooks: when to try again, who is told of what, and how it is signed."""
