#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rootfs.tar for deploy/image/Containerfile and, where umoci is there, an OCI layout of the same: OUT/rootfs.tar, OUT/oci. Tried before it is said to be done:
# the controller and a base start in it as user 65532. Needs root, mmdebstrap, and a Debian mirror and a package index through apt and pip as they are set up.
#
#   scripts/image.sh OUT [WHEEL]      # WHEEL: of a release; built here if it is left out
set -euo pipefail
out="$(realpath -m "${1:?where to: scripts/image.sh OUT [WHEEL]}")"
cd "$(dirname "$0")/.."
wheel="${2:-}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
root="$work/root"

[ -n "$wheel" ] || { .venv/bin/python -m build --wheel --no-isolation --outdir "$work/dist" . > /dev/null && wheel="$(ls "$work"/dist/*.whl)"; }
.venv/bin/pip download --quiet --require-hashes --no-deps --only-binary :all: --python-version 3.11 -r deploy/image/requirements.txt -d "$work/wheels"
mmdebstrap --quiet --variant=minbase --include=python3-minimal,python3-venv,ca-certificates \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$root"

mkdir "$root/build" && cp -r "$work/wheels" deploy/image/requirements.txt "$root/build/" && cp "$wheel" "$root/build/"
inside() { chroot --userspec=0:0 "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" "$@"; }
inside python3 -m venv /opt/arkwright
inside /opt/arkwright/bin/pip install --quiet --no-index --find-links /build/wheels --require-hashes -r /build/requirements.txt
inside /opt/arkwright/bin/pip install --quiet --no-index --no-deps "/build/$(basename "$wheel")"
rm -rf "$root/build" "$root/root/.cache" "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* # what neither runs nor is needed by what runs
find "$root" -name __pycache__ -type d -prune -exec rm -rf {} +
echo 'arkwright:x:65532:65532::/tmp:/usr/sbin/nologin' >> "$root/etc/passwd"
echo 'arkwright:x:65532:' >> "$root/etc/group"
chmod 1777 "$root/tmp"

as_user() { chroot --userspec=65532:65532 "$root" /usr/bin/env -i PATH=/opt/arkwright/bin:/usr/bin:/bin HOME=/tmp PYTHONDONTWRITEBYTECODE=1 "$@"; }
as_user arkwright controller --help > /dev/null
as_user timeout -s TERM 4 arkwright base --host 127.0.0.1 --port 0 --agent-port 0 > "$work/base.log" 2>&1 || [ $? = 124 ] || { cat "$work/base.log" >&2; exit 1; }
rm -rf "$root"/tmp/*

mkdir -p "$out"
tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --numeric-owner --xattrs-include='' -C "$root" -cf "$out/rootfs.tar" .
if command -v umoci > /dev/null; then
  rm -rf "$out/oci" && umoci init --layout "$out/oci" && umoci new --image "$out/oci:arkwright"
  umoci raw add-layer --image "$out/oci:arkwright" "$out/rootfs.tar"
  umoci config --image "$out/oci:arkwright" --config.user 65532:65532 --config.workingdir /tmp --config.entrypoint /opt/arkwright/bin/arkwright \
    --config.env PATH=/opt/arkwright/bin:/usr/bin:/bin --config.env PYTHONDONTWRITEBYTECODE=1 --config.env HOME=/tmp
fi
(cd "$out" && sha256sum rootfs.tar) && du -h "$out/rootfs.tar" | cut -f1
