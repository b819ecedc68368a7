"""A day of dispatch in virtual time: the live matching code, met by a whole city's demand."""
