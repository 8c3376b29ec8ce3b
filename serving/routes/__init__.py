"""The routes: HTTP in, HTTP out. Whatever is decided is decided elsewhere."""
