"""What keeps the course in order: set-up, lock, command line, runs, reading copy. No lesson imports it."""
