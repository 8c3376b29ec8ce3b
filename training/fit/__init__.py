"""From training rows to a model: time-ordered folds, two parts, their blend and one offset. The door to LightGBM.

``recipe``   the whole fit, in order: read this first
``folds``    three expanding folds in time, and the rows each one may see
``encode``   what an encoder learns from rows
``linear``   the clipped logistic part
``trees``    the search over shrunken LightGBM
``blend``    the weight between them
"""

from training.fit.encode import learn_encoder
from training.fit.folds import calibration_start
from training.fit.recipe import FitLog, Fitted, LastFold, fit
from training.fit.trees import default_trees

__all__ = ["FitLog", "Fitted", "LastFold", "calibration_start", "default_trees", "fit", "learn_encoder"]
