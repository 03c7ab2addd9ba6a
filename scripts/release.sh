#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a release is made of, in dist/: sdist and wheel (built twice, and the same both times), a list of what is in them and in what they depend on
# (CycloneDX, with licences), the digests of all, and a signature over these. Nothing is uploaded.
#
#   scripts/release.sh KEY.pem        # openssl genpkey -algorithm ed25519 -out KEY.pem; its public half is in the repository's releases
#
# To check one: openssl pkeyutl -verify -pubin -inkey PUBLIC.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig && sha256sum -c SHA256SUMS
set -euo pipefail
key="$(realpath "${1:?the private key that signs: scripts/release.sh KEY.pem}")"
cd "$(dirname "$0")/.."
[ -z "$(git status --porcelain)" ] || { echo "commit first: what is released is what is committed" >&2; exit 1; }
python="$PWD/.venv/bin/python"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"

for time in first second; do # from a clean checkout, so that nothing lies about
  git worktree add --quiet --detach "$work/$time" HEAD
  "$python" -m build --no-isolation --outdir "$work/$time-dist" "$work/$time" > "$work/$time.log" 2>&1 || { cat "$work/$time.log" >&2; exit 1; }
  git worktree remove --force "$work/$time"
done
diff -r "$work/first-dist" "$work/second-dist" || { echo "two builds of one commit differ" >&2; exit 1; }

rm -rf dist && mkdir dist && cp "$work"/first-dist/* dist/
"$python" -m venv "$work/tools" && "$work/tools/bin/pip" install --quiet cyclonedx-bom pip-audit twine
"$work/tools/bin/twine" check --strict dist/*
"$python" -m venv "$work/alone" # what a user gets, and nothing of ours
"$work/alone/bin/pip" install --quiet -c <(sed -n 's/^\([A-Za-z0-9_.-]*==[^ ;\\]*\).*/\1/p' constraints.txt) dist/*.whl
"$work/tools/bin/cyclonedx-py" environment "$work/alone/bin/python" --output-reproducible --of JSON -o dist/sbom.cdx.json
"$work/alone/bin/arkwright" --help > /dev/null
# What the package index knows of weaknesses. Some indexes say nothing of that: then it has to be asked elsewhere.
"$work/tools/bin/pip-audit" --strict --progress-spinner off --path "$("$work/alone/bin/python" -c 'import site; print(site.getsitepackages()[0])')" > "$work/audit.txt" 2>&1 \
  || { cat "$work/audit.txt" >&2; [ "${AUDIT:-required}" = "optional" ] || { echo "not released; AUDIT=optional goes on" >&2; exit 1; }; }
(cd dist && sha256sum -- * > SHA256SUMS && openssl pkeyutl -sign -inkey "$key" -rawin -in SHA256SUMS -out SHA256SUMS.sig)
ls -l dist
