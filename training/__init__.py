"""From features to a judged model; begin with pipeline.py."""
