"""What a process of workers does beside its tasks: it says that it lives, holds its work, and counts."""
