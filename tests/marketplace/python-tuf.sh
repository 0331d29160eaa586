#!/bin/sh
# Makes the outside judge: python-tuf, the reference implementation of The Update Framework, in an environment of its
# own, with the tests that its source distribution carries. Prints where it is. Does nothing the second time.
set -eu

tuf=7.0.0
securesystemslib=1.4.0
freezegun=1.5.5
here=$(cd "$(dirname "$0")" && pwd)
place=${CARGO_TARGET_DIR:-$here/../../target}/python-tuf-$tuf
mkdir -p "$(dirname "$place")"
place=$(cd "$(dirname "$place")" && pwd)/python-tuf-$tuf

# Several tests may want it at once.
exec 9>"$place.lock"
if command -v flock >/dev/null; then flock 9; fi

if [ ! -e "$place/complete" ]; then
    echo "making $place" >&2
    rm -rf "$place"
    python3 -m venv "$place" >&2
    pip="$place/bin/python -m pip --quiet --disable-pip-version-check"
    $pip install "tuf==$tuf" "securesystemslib[crypto]==$securesystemslib" "freezegun==$freezegun" >&2
    $pip download --no-deps --no-binary tuf --dest "$place/source" "tuf==$tuf" >&2
    tar -xzf "$place/source/tuf-$tuf.tar.gz" -C "$place/source"
    touch "$place/complete"
fi
echo "$place"
