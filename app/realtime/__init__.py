"""The socket: what members hear the moment it is true, and what drivers' telephones tell."""
