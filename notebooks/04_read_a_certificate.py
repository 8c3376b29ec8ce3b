# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Read a certificate
#
# Nothing is served without one. What does it prove, about which bundle, and what happens to whoever edits it? The demo's data are **made**.

# %%
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pandas as pd

from leadlight.model.certificate import PUBLIC_KEY, pinned_key, read_certificate
from leadlight.settings import SiteError, load_site
from leadlight.shelf import bundle_folder, current_champion, keys_folder

SITE = Path(os.environ.get("LEADLIGHT_SITE", "../examples/demo"))
STATE = Path(os.environ.get("LEADLIGHT_STATE", SITE / "state"))
HERE = ["--state", str(STATE)]

# %% [markdown]
# Train and promote, unless there is a champion already.

# %%
site = load_site(SITE)
name, target = site.target()
if current_champion(STATE, name) is None:
    trained = subprocess.run(["leadlight", "train", str(SITE), *HERE, "--json"], capture_output=True, check=True)
    version = json.loads(trained.stdout)["version"]
    subprocess.run(["leadlight", "promote", str(SITE), str(version), *HERE], check=True)
champion = current_champion(STATE, name)
folder = bundle_folder(STATE, name, champion.version)
champion

# %% [markdown]
# ## What it says

# %%
key = pinned_key(keys_folder(STATE) / PUBLIC_KEY)
certificate = read_certificate(folder, key)
certificate.target, certificate.verdict, certificate.bundle_sha256

# %%
rules = pd.DataFrame(certificate.findings["rules"])
rules[["name", "state", "value", "lower", "threshold", "evidence"]]

# %%
{name: found for name, found in certificate.findings.items() if name != "rules"}

# %% [markdown]
# ## Who was champion when

# %%
history = json.loads(
    subprocess.run(["leadlight", "history", str(SITE), *HERE, "--json"], capture_output=True, check=True).stdout
)
pd.DataFrame(history["versions"])[["version", "verdict", "serves", "trained_until", "terms"]]

# %% [markdown]
# ## What an edit does
#
# A better precision, written into a copy of the certificate by hand: the signature no longer holds.

# %%
forged = Path(tempfile.mkdtemp()) / "forged"
shutil.copytree(folder, forged)
path = forged / "certificate.json"
document = json.loads(path.read_bytes())
document["certificate"]["findings"]["rules"][0]["lower"] = 0.99
path.write_text(json.dumps(document))
try:
    read_certificate(forged, key)
    refused = ""
except SiteError as error:
    refused = "; ".join(error.faults).replace(str(forged), "FOLDER")
refused

# %%
assert certificate.verdict == "promote"
assert all(rule["state"] == "pass" for rule in certificate.findings["rules"])
assert "not what the gate signed" in refused

# %% [markdown]
# **Conclusion.** A certificate is the gate's word on one bundle, with every number it rests on. It cannot be borrowed, edited or made without
# the gate's key; whoever holds that key, or changes the code, can sign anything, and no signature protects against them.
