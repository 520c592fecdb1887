"""The exercises and questions of each chapter, one module a chapter and nothing else."""
