"""From a request to a grade with reasons; begin with scoring.py."""
