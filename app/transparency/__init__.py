"""The transparency report: what became of everybody's money in a closed and sealed period."""
