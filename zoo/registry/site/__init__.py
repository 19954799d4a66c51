"""A registry as static pages, to be browsed from any file server or from the disk itself."""
