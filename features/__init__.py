"""From raw history to features: knows time; knows no model and no HTTP."""
