"""What solidarity does: circles, illness, the months of the fund, failed cards."""
