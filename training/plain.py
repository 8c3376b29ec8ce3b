"""The three plain models a backtest compares with, each as it comes from its library: no tuning, no folds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from leadlight.model.encoder import Encoder
from leadlight.model.margins import FloatArray
from training.fit import default_trees, learn_encoder

PlainName = Literal["logistic", "lightgbm", "hist"]
Labels = npt.NDArray[np.int8]
Predict = Callable[[FloatArray], FloatArray]


def fit_plain(name: PlainName, X: pd.DataFrame, y: Labels, *, seed: int) -> Callable[[pd.DataFrame], FloatArray]:
    """The named model fitted on these rows, as a function from rows to probabilities.

    Columns are as for ``training.fit.fit``. Rare levels are one, as in our own model, which favours the plain ones.
    Where only one outcome occurs, the answer is its probability.
    """
    encoder = learn_encoder(X)
    with threadpool_limits(limits=1):
        predict = _constant(float(y[0])) if y.min() == y.max() else _FITS[name](encoder, encoder.encode(X), y, seed)

    def probabilities(rows: pd.DataFrame) -> FloatArray:
        with threadpool_limits(limits=1):
            return predict(encoder.encode(rows))

    return probabilities


def _constant(probability: float) -> Predict:
    return lambda matrix: np.full(len(matrix), probability)


def _logistic(encoder: Encoder, matrix: FloatArray, y: Labels, seed: int) -> Predict:
    numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    columns = make_column_transformer(
        (numbers, encoder.numbers), (OneHotEncoder(handle_unknown="ignore"), encoder.categories)
    )
    return _positive(make_pipeline(columns, LogisticRegression(max_iter=1000, random_state=seed)).fit(matrix, y))


def _hist(encoder: Encoder, matrix: FloatArray, y: Labels, seed: int) -> Predict:
    known = ~np.isnan(matrix).all(axis=0)  # scikit-learn cannot bin a column without any value
    model = HistGradientBoostingClassifier(categorical_features=encoder.categories, random_state=seed)
    predict = _positive(model.fit(np.where(known, matrix, 0.0), y))
    return lambda rows: predict(np.where(known, rows, 0.0))


def _lightgbm(encoder: Encoder, matrix: FloatArray, y: Labels, seed: int) -> Predict:
    booster = default_trees(matrix, y, categories=encoder.categories, seed=seed)
    return lambda rows: np.asarray(booster.predict(rows, num_threads=1), dtype=np.float64)


def _positive(classifier: Any) -> Predict:  # noqa: ANN401  # scikit-learn has no types
    return lambda matrix: np.asarray(classifier.predict_proba(matrix)[:, 1], dtype=np.float64)


_FITS: dict[PlainName, Callable[[Encoder, FloatArray, Labels, int], Predict]] = {
    "logistic": _logistic,
    "lightgbm": _lightgbm,
    "hist": _hist,
}
