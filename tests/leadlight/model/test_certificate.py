from __future__ import annotations

import json
import stat
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from leadlight.model.certificate import (
    Certificate,
    pinned_key,
    read_certificate,
    shortfalls,
    signing_key,
    write_certificate,
)
from leadlight.model.manifest import Origin, canonical, sha256
from leadlight.settings import SiteError, Target

MANIFEST = b'{"format":1}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a manifest, which is all that a certificate names."""
    bundle = tmp_path / "v1"
    bundle.mkdir()
    (bundle / "manifest.json").write_bytes(MANIFEST)
    return bundle


def certificate(verdict: str = "promote", bundle: bytes = MANIFEST) -> Certificate:
    """What a gate may say."""
    findings = {"rules": [{"name": "precision", "bound": 0.31, "threshold": 0.3}]}
    return Certificate(bundle_sha256=sha256(bundle), target="purchase", verdict=verdict, findings=findings)


def test_a_signed_certificate_is_read_back(folder: Path, tmp_path: Path) -> None:
    """What the gate signed is what the pinned public key reads."""
    write_certificate(folder, certificate(), key=signing_key(tmp_path / "keys"))

    assert read_certificate(folder, pinned_key(tmp_path / "keys" / "gate.pub")) == certificate()


def test_the_private_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    """The second use reads the first one's key; nobody else may."""
    first, second = signing_key(tmp_path / "keys"), signing_key(tmp_path / "keys")

    assert first.private_bytes_raw() == second.private_bytes_raw()
    assert stat.S_IMODE((tmp_path / "keys" / "gate.key").stat().st_mode) == 0o600


def test_without_a_certificate_there_is_no_promise(folder: Path) -> None:
    """A missing certificate says that the bundle never passed the gate."""
    with pytest.raises(SiteError, match="never passed the gate"):
        read_certificate(folder, Ed25519PrivateKey.generate().public_key())


def test_a_forged_certificate_is_refused(folder: Path) -> None:
    """A better verdict under the old signature, another's signature and garbage are all not what the gate signed."""
    key = Ed25519PrivateKey.generate()
    write_certificate(folder, certificate("reject"), key=key)
    path = folder / "certificate.json"
    document = json.loads(path.read_bytes())
    forgeries = [
        canonical({**document, "certificate": asdict(certificate("promote"))}),
        canonical({**document, "signature": Ed25519PrivateKey.generate().sign(b"promote").hex()}),
        canonical({**document, "signature": "not hex"}),
        canonical({"certificate": document["certificate"]}),
        canonical([]),
        b"promote",
        b"\xff",
    ]

    for forgery in forgeries:
        path.write_bytes(forgery)
        with pytest.raises(SiteError, match="not what the gate signed"):
            read_certificate(folder, key.public_key())


def test_every_reason_against_a_signed_certificate_is_told(folder: Path) -> None:
    """A genuine certificate of another bundle with another verdict is refused for both."""
    key = Ed25519PrivateKey.generate()
    write_certificate(folder, replace(certificate("not_enough_evidence"), bundle_sha256="0" * 64), key=key)

    with pytest.raises(SiteError) as caught:
        read_certificate(folder, key.public_key())

    assert len(caught.value.faults) == 2
    assert "names bundle 0000" in caught.value.faults[0]
    assert "'not_enough_evidence'" in caught.value.faults[1]


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    """Missing and foreign key files are told by name."""
    (tmp_path / "gate.key").write_text("secret")

    with pytest.raises(SiteError, match=r"gate\.pub holds no Ed25519 public key"):
        pinned_key(tmp_path / "gate.pub")
    with pytest.raises(SiteError, match=r"gate\.key holds no Ed25519 private key"):
        signing_key(tmp_path)


def asking(calibration: float | None) -> Target:
    """A target that asks for this calibration, or leaves it as it is."""
    gate = {"precision": 0.3, "recall": 0.2} | ({} if calibration is None else {"calibration": calibration})
    target = {"outcome": ["buy"], "horizon": "3d", "observe": {"offsets": ["7d"]}, "gate": gate}
    return Target.model_validate(target)


def proving(*bounds: float) -> Certificate:
    """What a gate says that proves the thresholds, and that odds are right within these bounds, if any."""
    proven: list[dict[str, object]] = [{"name": name, "lower": 0.5} for name in ("precision", "recall")]
    calibrated = {"name": "calibration_in_the_large", "lower": min(bounds), "upper": max(bounds)} if bounds else {}
    rules = [*proven, calibrated] if calibrated else proven
    return replace(certificate(), target="purchase", findings={"rules": rules})


@pytest.mark.parametrize(
    ("calibration", "bounds", "fault"),
    [
        (None, (-0.1, 0.6), None),
        (None, (), None),
        (1.3, (-0.1, 0.2), None),
        (1.3, (-0.3, 0.2), "a factor of 1.3, this version is proven to a factor of 1.35"),
        (1.3, (), "proven to nothing"),
    ],
)
def test_a_site_that_asks_for_better_calibration_needs_proof(
    calibration: float | None, bounds: tuple[float, ...], fault: str | None
) -> None:
    """The certificate's own bounds must lie within the factor that is asked for now; an older one proves none."""
    target = asking(calibration)
    origin = Origin("purchase", target.question, "c" * 64, "d" * 64, 1, 20, 5, 19)

    found = shortfalls(proving(*bounds), origin, "purchase", target)

    assert len(found) == (fault is not None)
    assert fault is None or fault in found[0]
