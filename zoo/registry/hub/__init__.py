"""A version as a repository of the Hub, which people can use without zoo."""
