"""Shell of the assembly: the founding statutes and the policies in force."""
