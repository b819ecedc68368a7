"""Where riders are to be expected, and where drivers who wait had best wait: advice, no more."""
