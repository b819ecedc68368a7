"""Every promise of the program, as a statement that names whatever breaks it."""
