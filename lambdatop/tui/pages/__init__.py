"""Write the text of pages from a snapshot."""
