"""What a vendor's hook may be refused with; each vendor's ``hooks`` raises it."""


class BadHook(Exception):
    """A body that this vendor never sends. ``status`` is the 4xx to answer, ``sentence`` why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
