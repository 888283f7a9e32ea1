"""Failures that are the user's to see."""


class UserError(Exception):
    """One sentence that says what is wrong and what to do. The program prints it and ends with 1."""
