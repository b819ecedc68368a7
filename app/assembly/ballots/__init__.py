"""The ballot box: casting without a name, batches that tell no time, signed roots."""
