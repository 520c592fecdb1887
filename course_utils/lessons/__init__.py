"""What one chapter hands on to another, or what would distract in it: each module names its chapter."""
