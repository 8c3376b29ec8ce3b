"""The score journal: every answer as it was given, in the site's database. Knows neither models nor HTTP."""

from leadlight.journal.answer import COLUMNS, Answer
from leadlight.journal.erasing import erase_answers
from leadlight.journal.pruning import prune_answers
from leadlight.journal.reading import Erased, answer, answers, answers_of, last_answer
from leadlight.journal.writing import keep

__all__ = [
    "COLUMNS",
    "Answer",
    "Erased",
    "answer",
    "answers",
    "answers_of",
    "erase_answers",
    "keep",
    "last_answer",
    "prune_answers",
]
