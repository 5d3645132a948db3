"""What runs AURA: the embedded servers, the supervisor of the Procfile, and the commands of the Makefile."""
