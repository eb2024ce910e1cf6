"""In. Bytes of one vendor become Events; an adapter verifies and reads, and knows no Redis."""
