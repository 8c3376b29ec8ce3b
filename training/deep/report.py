"""The three deep looks together, as one object and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from leadlight.model.margins import FloatArray, IntArray
from training.dataset import Dataset
from training.deep.ablation import Earning, ablation
from training.deep.ageing import Ageing, ageing
from training.deep.refit import Refit
from training.deep.stability import Stability, stability


@dataclass(frozen=True)
class Deep:
    """What each group earns, how stable the fit is, and how a model ages."""

    ablation: tuple[Earning, ...]
    stability: Stability
    ageing: Ageing

    def to_json(self) -> dict[str, Any]:
        """All three as one object."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The same in words."""
        return [*self._earnings(), *self._stability(), *self._ageing()]

    def _earnings(self) -> Iterator[str]:
        yield "what each group earns (log loss without it, less that with it):"
        for each in self.ablation:
            noise = "" if each.sure else ", within noise"
            words = f"{each.earned:+.5f} (standard error {each.error:.5f}, {each.share:+.1%}{noise})"
            yield f"  {each.group:<30} {words}; {each.columns} columns"

    def _stability(self) -> Iterator[str]:
        found = self.stability
        yield (
            f"over {len(found.seeds)} seeds: log loss {min(found.log_loss):.5f} to {max(found.log_loss):.5f}, a spread"
            f" of {found.loss_spread:.5f} (the test is unsure by {found.loss_error:.5f}); rank correlation at least"
            f" {found.rank_correlation:.3f}, {found.same_best_tenth:.0%} of the best tenth the same"
        )

    def _ageing(self) -> Iterator[str]:
        if not self.ageing.ages:
            yield "ageing: the training period is too short to stop earlier"
            return
        yield "ageing (models of half the training period, stopped earlier):"
        for each in self.ageing.ages:
            above = f"{each.loss_above_freshest:+.5f} against the freshest (standard error {each.error:.5f})"
            yield f"  {each.days:>6.1f} days: log loss {each.log_loss:.5f}, {above}; {each.rows} rows"
        oldest = self.ageing.ages[-1].days
        after = self.ageing.retrain_after_days
        yield (
            f"  no ageing to be seen up to {oldest:.0f} days"
            if after is None
            else f"  worse by more than noise from {after:.0f} days on: retrain before"
        )


def deep(learned: Dataset, test: Dataset, whole: FloatArray, day: IntArray, *, refit: Refit, seed: int) -> Deep:
    """All three, of a model that says ``whole`` of the test rows, whose local days are ``day``."""
    return Deep(
        ablation=ablation(learned, test, whole, day, refit=refit, seed=seed),
        stability=stability(learned, test, whole, day, refit=refit, seed=seed),
        ageing=ageing(learned, test, day, refit=refit, seed=seed),
    )
