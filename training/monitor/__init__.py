"""A champion watched after it went live: what it promised, what came of it, and whether its world is still the same.

``rows``         what is watched: answers given, or the schedule's own moments, with outcomes where known
``drift``        inputs and scores against training
``calibration``  promises against outcomes
``performance``  what to expect before outcomes come
``outcome``      label delay, challenger, correction for who was called
``findings``     one rate of false alarms for all checks of a run
``watch``        one look
``run``          a look with its record, metrics and alerts; begin here
"""
