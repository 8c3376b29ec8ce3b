"""From training rows to a model: time-ordered folds, two parts, their blend and one offset. The door to LightGBM.

``recipe``   the whole fit, in order: read this first
``folds``    three expanding folds in time, and the rows each one may see
``encode``   what an encoder learns from rows
``linear``   the clipped logistic part
``monotone`` the same where numbers have a direction
``trees``    the candidates of shrunken LightGBM
``card``     the worth of a site's points
``blend``    the weight between them
``plan``     what the folds decide of all this
"""

from training.fit.card import weigh_table
from training.fit.encode import learn_encoder
from training.fit.folds import calibration_start
from training.fit.linear import HINGED, PLAIN, LinearChoice
from training.fit.plan import Bench, Draft, Plan
from training.fit.recipe import Explore, FitLog, Fitted, Found, LastFold, Tried, Wishes, fit
from training.fit.trees import SEARCHED, Candidate, default_trees

__all__ = [
    "HINGED",
    "PLAIN",
    "SEARCHED",
    "Bench",
    "Candidate",
    "Draft",
    "Explore",
    "FitLog",
    "Fitted",
    "Found",
    "LastFold",
    "LinearChoice",
    "Plan",
    "Tried",
    "Wishes",
    "calibration_start",
    "default_trees",
    "fit",
    "learn_encoder",
    "weigh_table",
]
