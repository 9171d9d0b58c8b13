"""What is wrong with data that the law is given. Whoever wrote the data must mend it."""

from __future__ import annotations


class InvalidData(ValueError):
    """Rule data, a schedule or facts say something that cannot be; the message says where and what.

    The text of the exception is English; `said` gives it in either language.
    """

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english)
        self.chinese = chinese

    def said(self, language: str) -> str:
        """The message in `zh` or `en`."""
        return self.chinese if language == "zh" else str(self)


def said_of(error: Exception) -> tuple[str, str]:
    """English and Chinese of an error that may be somebody else's, whose words are English only."""
    return (str(error), error.chinese if isinstance(error, InvalidData) else str(error))
