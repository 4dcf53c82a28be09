"""Real processes of the program, killed wherever they touch what outlives them."""
