"""What happens after a ride: tips, disputes and refunds, fares that several riders share."""
