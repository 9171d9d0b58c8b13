"""What is wrong with data that the law is given. Whoever wrote the data must mend it."""

from __future__ import annotations


class InvalidData(ValueError):
    """Rule data, a schedule or facts say something that cannot be; the message says where and what."""
