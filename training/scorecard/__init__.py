"""A model as a card of points that people can read and change, and how much of the model such a card keeps.

``learn``    the rules of a card, from what a model says of its training rows
``measure``  a card on the test rows, beside the model
``written``  a card as a file to edit
"""

from training.scorecard.learn import learn_table
from training.scorecard.measure import Measured, Scorecard, make_scorecard
from training.scorecard.written import as_toml

__all__ = ["Measured", "Scorecard", "as_toml", "learn_table", "make_scorecard"]
