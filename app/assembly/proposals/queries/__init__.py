"""Every statement of the proposals' room, one file for each subject."""
