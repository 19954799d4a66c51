"""Where a registry can be: a folder, a web server, a bucket; and what is remembered of them."""
