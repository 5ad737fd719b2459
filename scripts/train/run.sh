#!/bin/sh
# Trains the model that ships (about an hour on two cores; needs `apt-get install bible-kjv-text`).
# Arguments go to train.py, for example --minutes 50 --compile.
set -eu
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1 TRANSFORMERS_VERBOSITY=error
[ -x .venv/bin/python ] || "${PYTHON:-python3}" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check -r scripts/train/requirements.txt
exec .venv/bin/python scripts/train/train.py "$@"
