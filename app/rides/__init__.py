"""A ride from request to completion or cancellation."""
