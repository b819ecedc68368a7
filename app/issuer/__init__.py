"""An issuer: stamps vote keys without seeing them; its own process with its own keys."""
