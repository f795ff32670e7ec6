"""One file a promise, from edge to edge: Kommo's hook in, FreshBooks' invoice and the deal out."""
