"""The ballot box: ballots cast without a name, kept sealed, and put in by shuffled batches."""
