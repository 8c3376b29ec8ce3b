"""Made data for the demo: an online-education funnel whose true probabilities are known."""

from leadlight.sample.files import draw as draw
