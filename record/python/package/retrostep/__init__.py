"""Retrostep inside the recorded program. Without the recorder it does nothing."""
