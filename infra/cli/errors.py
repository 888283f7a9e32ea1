"""Failures that are the user's to see."""


class CliError(Exception):
    """One sentence that says what is wrong and what to do; the command ends with 1."""
