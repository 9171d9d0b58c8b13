"""Properties are about what is decided, not how quickly: a busy machine must not fail them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("rules", deadline=None)
settings.load_profile("rules")
