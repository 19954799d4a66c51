"""The command line: a thin coat over the library, one file a command."""
