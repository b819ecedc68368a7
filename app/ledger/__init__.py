"""Double-entry books: accounts, journals of transfers, holds, statements, audit."""
