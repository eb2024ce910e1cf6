"""Stand-ins for vendors, written from their documents, so that opsmon is tested against more than itself."""
