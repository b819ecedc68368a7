"""A card provider that moves no money: a double with its own books, ids and moods."""
