"""The newest look at each target in Prometheus' text format: a file for a collector or for ``GET /metrics``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from leadlight.schema import SECOND

_HELP = {
    "watched_timestamp_seconds": "the moment that was watched",
    "recent_leads": "leads scored within the window",
    "mature_leads": "leads whose label became mature within the window",
    "findings": "findings that are on, by kind",
    "drift_psi_excess": "population stability index beyond what chance shows",
    "check_p_value": "p-value of a check, not corrected for how many there are",
    "calibration_shift": "log-odds that promises are too low by",
    "calibration_error": "mean gap between promise and outcome over ten bins",
    "calibration_noise_floor": "the calibration error of a perfect model",
    "promised_ratio": "mean probability promised, by grade",
    "observed_ratio": "share of mature leads that converted, by grade",
    "expected": "metric expected of leads without outcome yet",
    "expected_lower": "its 95 % interval, lower end",
    "expected_upper": "its 95 % interval, upper end",
    "label_late_ratio": "share of outcomes that arrived later than declared",
    "challenger_log_loss_difference": "challenger's log loss less the champion's on the same leads",
}


def exposition(looks: Iterable[Mapping[str, Any]]) -> str:
    """The metrics of the looks (as ``Watch.to_json`` has them), one target each, all of a name together."""
    samples: dict[str, list[str]] = {name: [] for name in _HELP}
    for look in looks:
        base = {"target": look["target"], "version": str(look["version"])}
        for name, labels, value in _samples(look):
            if value is not None:
                samples[name].append(f"leadlight_monitor_{name}{_labels({**base, **labels})} {float(value)!r}")
    lines = []
    for name, found in samples.items():
        if found:
            lines += [
                f"# HELP leadlight_monitor_{name} {_HELP[name]}",
                f"# TYPE leadlight_monitor_{name} gauge",
                *found,
            ]
    return "".join(f"{line}\n" for line in lines)


def _samples(look: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], float | None]]:
    yield "watched_timestamp_seconds", {}, look["now"] / SECOND
    yield "recent_leads", {}, look["recent_leads"]
    yield "mature_leads", {}, look["mature_leads"]
    kinds = sorted({check["kind"] for check in look["checks"]})
    for kind in kinds:
        yield "findings", {"kind": kind}, sum(found["kind"] == kind for found in look["findings"])
    for check in look["checks"]:
        about = {"kind": check["kind"], "subject": check["subject"]}
        yield "check_p_value", about, check["p"]
        if check["kind"] in {"values", "score"}:
            yield "drift_psi_excess", {"subject": check["subject"]}, check["effect"]
    calibration = look["calibration"] or {}
    yield "calibration_shift", {}, calibration.get("shift")
    yield "calibration_error", {}, calibration.get("error")
    yield "calibration_noise_floor", {}, calibration.get("noise_floor")
    for promise in look["promises"]:
        yield "promised_ratio", {"grade": promise["grade"]}, promise["promised"]
        yield "observed_ratio", {"grade": promise["grade"]}, promise["observed"]
    for metric in ("precision", "recall", "auc"):
        of = (look["performance"] or {}).get(metric)
        if of is not None:
            yield "expected", {"metric": metric}, of["value"]
            yield "expected_lower", {"metric": metric}, of["lower"]
            yield "expected_upper", {"metric": metric}, of["upper"]
    yield "label_late_ratio", {}, (look["delays"] or {}).get("late")
    if look["challenge"] is not None:
        challenger = {"challenger": look["challenge"]["version"]}
        yield "challenger_log_loss_difference", challenger, look["challenge"]["difference"]


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
