"""Decoder processes: hostile bytes are opened where a crash, a loop or a bomb harms nothing."""
