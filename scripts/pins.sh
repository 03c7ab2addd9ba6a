#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# constraints.txt: every package that `make install` installs, with its version and the hashes of its files. Run it after a change of
# dependencies in pyproject.toml; with --upgrade all versions are chosen anew. Needs uv.
set -euo pipefail
cd "$(dirname "$0")/.."
uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --quiet "$@" -o constraints.txt
# What an image has: the same versions, without the tools.
uv pip compile pyproject.toml --python-version 3.11 --python-platform x86_64-manylinux_2_28 --generate-hashes \
  --no-header --no-annotate --quiet -c constraints.txt -o deploy/image/requirements.txt
