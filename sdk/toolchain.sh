#!/usr/bin/env bash
# Makes `cargo +NAME build --target wasm32-wasip2` work and prints NAME.
#   wasm-toolchain.sh [--force-fallback] [--dir DIR] [--name NAME] [--targets "T ..."]
# 1. A toolchain that already has every target (or `rustup target add` that succeeds): print it, done.
#    With RUSTUP_AUTO_INSTALL=0 nothing is fetched through rustup: straight to 2.
# 2. Fallback for Debian machines where rustup cannot or must not download: takes rustc, cargo and the
#    std sources from Debian (rustc-web: a current rustc in oldstable/stable security), wasi-libc from
#    Debian testing (arch: all, data only), compiles std once for each target, lays it all out as one
#    private sysroot and registers it with `rustup toolchain link`. No root, nothing installed system-wide.
# Idempotent: a stamp inside the toolchain names what it was made from; nothing is done twice.
set -euo pipefail

NAME=deskhand-guest DIR=${XDG_CACHE_HOME:-$HOME/.cache}/deskhand/toolchain
TARGETS="wasm32-wasip2" FORCE=0
WASI_LIBC_SUITE=${WASI_LIBC_SUITE:-forky}   # the first Debian suite whose wasi-libc has wasm32-wasip2
CODENAME=$(. /etc/os-release; echo "${VERSION_CODENAME:-}")
# the mirror that this system's own apt uses for Debian's main suite
MIRROR=${DEBIAN_MIRROR:-$(awk -v c="$CODENAME" '
  /^URIs:/ {u=$2} /^Suites:/ {for (i=2;i<=NF;i++) if ($i==c) {print u; exit}}
  /^deb / {for (i=2;i<=NF;i++) if ($i ~ /^http/ && $(i+1)==c) {print $i; exit}}' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null)}
while [ $# -gt 0 ]; do case $1 in
  --force-fallback) FORCE=1;; --dir) DIR=$2; shift;; --name) NAME=$2; shift;;
  --targets) TARGETS=$2; shift;; *) echo "unknown option $1" >&2; exit 2;; esac; shift; done
say() { echo "wasm-toolchain: $*" >&2; }

has_targets() { # does toolchain $1 have a std for every target?
  local t d; for t in $TARGETS; do
    d=$(rustc "+$1" --print target-libdir --target "$t" 2>/dev/null) || return 1
    compgen -G "$d/libstd-*.rlib" >/dev/null || return 1; done; }

if [ $FORCE = 0 ] && command -v rustup >/dev/null; then
  for n in $(rustup show active-toolchain 2>/dev/null | cut -d' ' -f1) stable "$NAME"; do
    if has_targets "$n"; then say "toolchain $n has $TARGETS"; echo "$n"; exit 0; fi; done
  n=$(rustup show active-toolchain 2>/dev/null | cut -d' ' -f1 || true)
  # RUSTUP_AUTO_INSTALL=0 (rustup's own switch) is taken as "no downloads through rustup on this machine"
  # shellcheck disable=SC2086
  if [ "${RUSTUP_AUTO_INSTALL:-1}" != 0 ] && timeout "${RUSTUP_TIMEOUT:-60}" rustup target add --toolchain "${n:-stable}" $TARGETS >&2 && has_targets "${n:-stable}"; then
    echo "${n:-stable}"; exit 0; fi
  say "no rust-std from rustup (RUSTUP_AUTO_INSTALL=${RUSTUP_AUTO_INSTALL:-1}); making a toolchain from Debian's packages"
fi

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { say "no apt here: install rustup and run: rustup target add $TARGETS"; exit 1; }
mkdir -p "$DIR"; exec 9>"$DIR/lock"; flock 9
TC=$DIR/toolchain APT=$DIR/apt
WANT="$TARGETS $WASI_LIBC_SUITE v1"
if [ "$(cat "$TC/.stamp" 2>/dev/null || true)" != "$WANT" ]; then
  T0=$SECONDS
  # --- a private apt: the system's own sources, plus wasi-libc alone from $WASI_LIBC_SUITE
  mkdir -p "$APT"/{state/lists/partial,cache/archives/partial,etc/sources.list.d,etc/preferences.d,debs}
  cat > "$APT/etc/preferences.d/pin" <<E
Package: *
Pin: release n=$WASI_LIBC_SUITE
Pin-Priority: -1

Package: wasi-libc
Pin: release n=$WASI_LIBC_SUITE
Pin-Priority: 990
E
  CODENAME=$(. /etc/os-release; echo "$VERSION_CODENAME")
  { echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR $CODENAME main"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${MIRROR%/debian}/debian-security $CODENAME-security main"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $MIRROR $WASI_LIBC_SUITE main"; } > "$APT/etc/sources.list"
  cat > "$APT/apt.conf" <<E
Dir::State "$APT/state"; Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$APT/cache"; Dir::Etc::sourcelist "$APT/etc/sources.list";
Dir::Etc::sourceparts "$APT/etc/sources.list.d"; Dir::Etc::preferencesparts "$APT/etc/preferences.d";
Acquire::Languages "none"; APT::Sandbox::User ""; Debug::NoLocking "1"; Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
E
  export APT_CONFIG=$APT/apt.conf
  say "apt lists ..."; apt-get -qq update >&2
  # packages not installed here that rustc, cargo and std's sources need, with their whole closure
  pkgs=$(apt-get -y --no-install-recommends --print-uris install rustc-web cargo-web rust-web-src libstd-rust-web-dev 2>/dev/null |
         awk '/^.http/{print $2}' | cut -d_ -f1)
  # the ones we need files of are fetched even where they are installed (their files may be linked against)
  need=$(printf '%s\n' $pkgs rustc-web cargo-web rust-web-src libstd-rust-web-dev \
         "$(apt-cache depends libstd-rust-web-dev | awk '/Depends: libstd-rust-web-[0-9]/{print $2; exit}')" wasi-libc | sort -u)
  say "packages: $(echo $need)"
  rm -rf "$DIR/root" "$TC.new"; mkdir -p "$DIR/root"
  # shellcheck disable=SC2086
  (cd "$APT/debs" && rm -f ./*.deb && apt-get -qq download $need >&2 && for d in *.deb; do dpkg-deb -x "$d" "$DIR/root"; done)
  unset APT_CONFIG
  say "packages unpacked after $((SECONDS-T0)) s"
  # --- lay out a sysroot
  R=$DIR/root/usr; MA=$(ls -d "$R"/lib/*-linux-gnu | head -1); HOST=$(basename "$(ls -d "$R"/lib/rustlib/*-unknown-linux-gnu)")
  mkdir -p "$TC.new"/{bin,lib,libexec}; cp -a "$R/lib/rustlib" "$TC.new/lib/rustlib"
  rm -rf "$TC.new/lib/rustlib/src/rust"; mkdir -p "$TC.new/lib/rustlib/src"
  cp -a "$(ls -d "$R"/src/rustc-*)" "$TC.new/lib/rustlib/src/rust"
  cp -a "$MA"/*.so* "$TC.new/lib/" 2>/dev/null || true
  cp -a "$R"/bin/{rustc,rustdoc,cargo} "$TC.new/libexec/"
  for b in rustc rustdoc cargo; do      # wrappers, so that it runs with or without rustup's proxies
    s=; [ $b = cargo ] || s=' --sysroot "$t"'
    cat > "$TC.new/bin/$b" <<E
#!/bin/sh
t=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
LD_LIBRARY_PATH="\$t/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "\$t/libexec/$b"$s "\$@"
E
    chmod +x "$TC.new/bin/$b"; done
  # rustc of ours for our cargo even when it is not called through rustup
  sed -i 's|^LD_LIB|[ -n "$RUSTUP_TOOLCHAIN" ] \|\| export RUSTC="${RUSTC:-$t/bin/rustc}" RUSTDOC="${RUSTDOC:-$t/bin/rustdoc}"\nLD_LIB|' "$TC.new/bin/cargo"
  # --- linkers: from any rustup toolchain (its x86_64 part ships them), else from the crate registry
  hb=$TC.new/lib/rustlib/$HOST/bin; mkdir -p "$hb/gcc-ld"
  src=$(ls -dt "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/lib/rustlib/"$HOST"/bin/wasm-component-ld 2>/dev/null | head -1 || true)
  if [ -n "$src" ]; then cp -a "$(dirname "$src")"/. "$hb/"
    # rust-lld from rustup finds its libLLVM beside its own toolchain
    l=$(ls "$(dirname "$src")"/../../../libLLVM*.so* 2>/dev/null | head -1 || true); [ -z "$l" ] || cp -an "$(dirname "$l")"/libLLVM*.so* "$TC.new/lib/"
  else say "no rustup toolchain to take linkers from: building wasm-component-ld, using the system's wasm-ld"
    "$TC.new/bin/cargo" install --quiet --root "$DIR/ld" wasm-component-ld >&2; cp "$DIR/ld/bin/wasm-component-ld" "$hb/"
    w=$(command -v wasm-ld || ls /usr/bin/wasm-ld-* 2>/dev/null | sort -V | tail -1 || true)
    [ -n "$w" ] || { say "needs wasm-ld: apt-get install lld"; exit 1; }
    ln -s "$w" "$hb/rust-lld"; ln -s "$w" "$hb/gcc-ld/wasm-ld"; fi
  ln -sf gcc-ld/wasm-ld "$hb/wasm-ld"
  # --- compile std for each target and put it into the sysroot
  B=$DIR/build; rm -rf "$B"; mkdir -p "$B/src"
  printf '[package]\nname="s"\nversion="0.0.0"\nedition="2021"\n[lib]\n[profile.release]\nopt-level=3\ncodegen-units=1\ndebug=0\n' > "$B/Cargo.toml"
  echo '#![no_std]' > "$B/src/lib.rs"
  for t in $TARGETS; do
    say "compiling std for $t ..."; T1=$SECONDS
    d=$TC.new/lib/rustlib/$t; mkdir -p "$d/lib/self-contained"
    case $t in
      wasm32-wasip2) w=$R/lib/wasm32-wasip2;; wasm32-wasip1) w=$(ls -d "$R"/lib/wasm32-wasip1 "$R"/lib/wasm32-wasi 2>/dev/null | head -1);; *) w=;; esac
    [ -z "$w" ] || cp -a "$w"/*.o "$w"/lib*.a "$d/lib/self-contained/"
    (cd "$B" && env -u RUSTUP_TOOLCHAIN -u CARGO_BUILD_TARGET RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Cembed-bitcode=yes -Ccodegen-units=1" \
      CARGO_TARGET_DIR="$B/target" RUSTC="$TC.new/bin/rustc" \
      "$TC.new/bin/cargo" build --quiet --release -Z build-std=std,panic_abort,test,proc_macro --target "$t" >&2)
    find "$B/target/$t/release" -name 'lib*.rlib' ! -name 'libs-*' ! -name 'libs.rlib' -exec cp {} "$d/lib/" \;
    say "std for $t: $(ls "$d/lib" | wc -l) files in $((SECONDS-T1)) s"; done
  rm -rf "$B" "$DIR/root" "$TC.new/lib/rustlib/src"; rm -f "$APT"/debs/*.deb
  echo "$WANT" > "$TC.new/.stamp"; rm -rf "$TC"; mv "$TC.new" "$TC"
  say "made $TC in $((SECONDS-T0)) s, $(du -sh "$TC" | cut -f1)"
fi
if command -v rustup >/dev/null; then
  [ "$(rustup toolchain list -v 2>/dev/null | awk -v n="$NAME" '$1==n{print $NF}')" = "$TC" ] || rustup toolchain link "$NAME" "$TC" >&2
  echo "$NAME"
else echo "$TC/bin/cargo"; fi
