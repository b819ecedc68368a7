"""The shell: all that touches the network, the database or the clock."""
