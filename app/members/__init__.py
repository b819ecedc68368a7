"""Who belongs: people, sign-in, roles, drivers' papers and vehicles."""
