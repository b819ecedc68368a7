"""What payouts can do: register an account, prepare, release, draw the file, take statuses."""
