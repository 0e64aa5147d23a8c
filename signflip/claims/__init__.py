"""Claims: what is stated, what it reaches, whether a budget suffices, and which claims a suite registers."""
