"""What the desk says when something cannot be done."""


class Impossible(ValueError):
    """Not possible here and now; the sentence is for the person at the desk."""
