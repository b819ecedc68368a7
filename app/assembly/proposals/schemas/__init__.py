"""API shapes of proposals, one file for each subject."""
