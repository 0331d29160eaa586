#!/bin/sh
# Makes an environment of its own with the vendors' SDKs, in the versions and with the digests of requirements.lock, and
# prints where it is. Does nothing the second time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lock=$(cksum <"$here/requirements.lock" | cut -d ' ' -f 1)
place=${CARGO_TARGET_DIR:-$here/../../../../target}/model-sdks-$lock
mkdir -p "$(dirname "$place")"
place=$(cd "$(dirname "$place")" && pwd)/model-sdks-$lock

# Several tests may want it at once.
exec 9>"$place.lock"
if command -v flock >/dev/null; then flock 9; fi

if [ ! -e "$place/complete" ]; then
    echo "making $place" >&2
    rm -rf "$place"
    python3 -m venv "$place" >&2
    "$place/bin/python" -m pip --quiet --disable-pip-version-check install --require-hashes --no-deps \
        -r "$here/requirements.lock" >&2
    touch "$place/complete"
fi
echo "$place"
