#!/usr/bin/env bash
# Makes sure that Rust can compile components, and prints how to call the cargo that does: a toolchain's name for
# `cargo +NAME build --target wasm32-wasip2`, or the path of a cargo where there is no rustup.
#
#   toolchain.sh [--targets "TARGET ..."] [--dir DIR] [--name NAME] [--force-fallback]
#
# 1. A toolchain that has the standard library for every target is taken as it is.
# 2. Else `rustup target add`, unless RUSTUP_AUTO_INSTALL=0 says that rustup is to fetch nothing.
# 3. Else, on Debian: rustc, cargo and the sources of std from the system's own package sources, wasi-libc (data alone)
#    from the first suite whose one has wasm32-wasip2, std compiled once for each target; all in one folder,
#    $DIR/toolchain, which is registered with rustup where there is one. It takes some minutes and about 2 GB while it is
#    made. Nothing is installed on the system and nothing needs root.
#
# Running it again does nothing that is done. What it does is said on standard error.
#
# Environment: RUSTUP_AUTO_INSTALL=0 (see 2), RUSTUP_TIMEOUT (seconds, 300), DEBIAN_MIRROR (else that of the system's own
# sources), WASI_LIBC_SUITE (forky).
set -euo pipefail

targets="wasm32-wasip2"
name="deskhand-guest"
dir="${XDG_CACHE_HOME:-$HOME/.cache}/deskhand/toolchain"
force=0
suite="${WASI_LIBC_SUITE:-forky}"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# raise it when what `make_toolchain` makes changes: a toolchain of another recipe is made anew
recipe=2

say() { echo "toolchain: $*" >&2; }

# fail WHAT ADVICE
fail() {
  say "$1"
  say "$2"
  exit 1
}

by_hand() { echo "Install Rust with rustup (https://rustup.rs), run \`rustup target add $targets\`, then try again."; }

parse_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --force-fallback) force=1 ;;
      --targets | --dir | --name)
        [ $# -ge 2 ] || fail "$1 needs a value." "See the head of this script."
        case $1 in
          --targets) targets=$2 ;;
          --dir) dir=$2 ;;
          --name) name=$2 ;;
        esac
        shift
        ;;
      *) fail "There is no option \`$1\`." "See the head of this script." ;;
    esac
    shift
  done
  toolchain=$dir/toolchain
  stamp="recipe $recipe, $targets, wasi-libc of $suite"
}

has_rustup() { command -v rustup >/dev/null; }

# has_targets RUSTC...: does this rustc have a std for every target?
has_targets() {
  local target libdir
  for target in $targets; do
    libdir=$("$@" --print target-libdir --target "$target" 2>/dev/null) || return 1
    compgen -G "$libdir/libstd-*.rlib" >/dev/null || return 1
  done
}

active_toolchain() { rustup show active-toolchain 2>/dev/null | cut -d' ' -f1; }

is_ours() { [ -f "$toolchain/.stamp" ]; }

is_current() { [ "$(cat "$toolchain/.stamp" 2>/dev/null || true)" = "$stamp" ]; }

# A toolchain that is there; the one that this script makes only while it is of this recipe.
find_existing() {
  local candidate
  if ! has_rustup; then
    if command -v rustc >/dev/null && command -v cargo >/dev/null && has_targets rustc; then command -v cargo; fi
    return
  fi
  for candidate in $(active_toolchain) stable "$name"; do
    if [ "$candidate" = "$name" ] && is_ours && ! is_current; then continue; fi
    if has_targets rustc "+$candidate"; then
      echo "$candidate"
      return
    fi
  done
}

add_with_rustup() {
  local active
  has_rustup || return 0
  if [ "${RUSTUP_AUTO_INSTALL:-1}" = 0 ]; then
    say "RUSTUP_AUTO_INSTALL=0: rustup is to fetch nothing"
    return
  fi
  active=$(active_toolchain)
  active=${active:-stable}
  say "rustup target add --toolchain $active $targets"
  # shellcheck disable=SC2086 # one argument each
  if timeout "${RUSTUP_TIMEOUT:-300}" rustup target add --toolchain "$active" $targets >&2 &&
    has_targets rustc "+$active"; then
    echo "$active"
  else
    say "rustup could not add it; trying another way"
  fi
}

# The mirror that the system's own apt uses for its main suite.
system_mirror() {
  awk -v suite="$1" '
    /^URIs:/ { uri = $2 }
    /^Suites:/ { for (i = 2; i <= NF; i++) if ($i == suite) { print uri; exit } }
    /^deb / { for (i = 2; i < NF; i++) if ($i ~ /^https?:/ && $(i + 1) == suite) { print $i; exit } }
  ' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true
}

check_system() {
  local tool free
  for tool in apt-get apt-cache dpkg-deb flock; do
    command -v "$tool" >/dev/null || fail "This system has no \`$tool\`, so no toolchain can be made here." "$(by_hand)"
  done
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}") || codename=
  if [ -z "$codename" ] || ! [ -r "$keyring" ]; then
    fail "This system is not Debian, so no toolchain can be made here." "$(by_hand)"
  fi
  mirror=${DEBIAN_MIRROR:-$(system_mirror "$codename")}
  [ -n "$mirror" ] || fail "The system's package sources name no mirror for $codename." \
    "Set DEBIAN_MIRROR to one, then try again."
  free=$(df -Pk "$dir" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge 2000000 ] || fail "$dir has $((free / 1000)) MB free, and 2,000 are needed while it is made." \
    "Free some space, or name another folder with --dir, then try again."
}

# apt with its own lists, cache and sources: those of the system, and wasi-libc alone of $suite.
set_up_apt() {
  local signed="[signed-by=$keyring]"
  mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,etc/sources.list.d,etc/preferences.d,debs}
  cat >"$apt/etc/preferences.d/pin" <<END
Package: *
Pin: release n=$suite
Pin-Priority: -1

Package: wasi-libc
Pin: release n=$suite
Pin-Priority: 990
END
  cat >"$apt/etc/sources.list" <<END
deb $signed $mirror $codename main
deb $signed ${mirror%/debian}/debian-security $codename-security main
deb $signed $mirror $suite main
END
  cat >"$apt/apt.conf" <<END
Dir::State "$apt/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/etc/sources.list";
Dir::Etc::sourceparts "$apt/etc/sources.list.d";
Dir::Etc::preferencesparts "$apt/etc/preferences.d";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
APT::Sandbox::User "";
Debug::NoLocking "1";
END
  export APT_CONFIG=$apt/apt.conf
  say "reading the package lists of $codename and $suite"
  apt-get -qq update >&2 || fail "The package lists could not be fetched from $mirror." \
    "Check the network (and DEBIAN_MIRROR, if you set it), then try again."
}

# Fetch and unpack what is needed of the packages: those that hold the toolchain always, what they stand on only where the
# system does not have it.
fetch_packages() {
  local closure std packages package
  closure=$(apt-get -y --no-install-recommends --print-uris install rustc-web cargo-web rust-web-src libstd-rust-web-dev \
    2>/dev/null | awk '/^.http/ { print $2 }' | cut -d_ -f1) || true
  std=$(apt-cache depends libstd-rust-web-dev 2>/dev/null | awk '/Depends: libstd-rust-web-[0-9]/ { print $2; exit }')
  [ -n "$std" ] || fail "$codename offers no current Rust (rustc-web)." "$(by_hand)"
  # shellcheck disable=SC2086 # one word each
  packages=$(printf '%s\n' $closure rustc-web cargo-web rust-web-src libstd-rust-web-dev "$std" wasi-libc | sort -u)
  # shellcheck disable=SC2086 # one word each
  say "fetching" $packages
  rm -rf "$unpacked"
  mkdir -p "$unpacked"
  rm -f "$apt"/debs/*.deb
  # shellcheck disable=SC2086 # one argument each
  (cd "$apt/debs" && apt-get -qq download $packages >&2) ||
    fail "The packages could not be fetched." "Check the network, then try again."
  for package in "$apt"/debs/*.deb; do
    dpkg-deb -x "$package" "$unpacked" ||
      fail "$(basename "$package") could not be unpacked." "Check the space in $dir, then try again."
  done
  unset APT_CONFIG
}

# first GLOB...: the first that is there.
first() {
  local path
  for path in "$@"; do
    if [ -e "$path" ]; then
      echo "$path"
      return
    fi
  done
}

lay_out() {
  local usr=$unpacked/usr libraries
  host=$(basename "$(first "$usr"/lib/rustlib/*-unknown-linux-gnu)")
  libraries=$(first "$usr"/lib/*-linux-gnu)
  sources=$new/lib/rustlib/src/rust
  rm -rf "$new"
  mkdir -p "$new"/{bin,lib,libexec}
  cp -a "$usr/lib/rustlib" "$new/lib/rustlib"
  rm -rf "$sources"
  mkdir -p "$(dirname "$sources")"
  cp -a "$(first "$usr"/src/rustc-*)" "$sources"
  cp -a "$libraries"/*.so* "$new/lib/"
  cp -a "$usr"/bin/{rustc,rustdoc,cargo} "$new/libexec/"
  write_wrappers
}

# The programs run wherever the folder lies, with rustup and without. rustc's version names the recipe, by which cargo sees
# that what it compiled with another toolchain must be compiled anew.
write_wrappers() {
  local program
  for program in rustc rustdoc cargo; do
    {
      echo '#!/bin/sh'
      # shellcheck disable=SC2016 # all of it for the wrapper
      echo 't=$(dirname "$(dirname "$(readlink -f "$0")")")
export LD_LIBRARY_PATH="$t/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"'
      # shellcheck disable=SC2016
      case $program in
        rustc) echo 'if [ "$*" = -vV ]; then "$t/libexec/rustc" -vV && exec echo "deskhand-recipe: '"$recipe"'"; fi
exec "$t/libexec/rustc" --sysroot "$t" "$@"' ;;
        rustdoc) echo 'exec "$t/libexec/rustdoc" --sysroot "$t" "$@"' ;;
        cargo) echo '[ -n "$RUSTUP_TOOLCHAIN" ] || export RUSTC="${RUSTC:-$t/bin/rustc}" RUSTDOC="${RUSTDOC:-$t/bin/rustdoc}"
exec "$t/libexec/cargo" "$@"' ;;
      esac
    } >"$new/bin/$program"
    chmod +x "$new/bin/$program"
  done
}

# Components are linked by wasm-component-ld and wasm-ld. Every toolchain of rustup brings them; else the first is built
# and the second is the system's.
add_linkers() {
  local to=$new/lib/rustlib/$host/bin from llvm wasm_ld
  mkdir -p "$to/gcc-ld"
  from=$(first "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/lib/rustlib/"$host"/bin/wasm-component-ld)
  if [ -n "$from" ]; then
    from=$(dirname "$from")
    cp -a "$from"/. "$to/"
    llvm=$(first "$from"/../../../libLLVM*.so*)
    # a rust-lld that is linked to LLVM finds it beside its own toolchain
    if [ -n "$llvm" ]; then cp -an "$(dirname "$llvm")"/libLLVM*.so* "$new/lib/"; fi
  else
    wasm_ld=$(command -v wasm-ld || first /usr/bin/wasm-ld-*)
    [ -n "$wasm_ld" ] || fail "There is no \`wasm-ld\`, which links components." "Install it (apt-get install lld), then try again."
    say "building wasm-component-ld"
    "$new/bin/cargo" install --quiet --locked --root "$dir/linker" wasm-component-ld >&2 ||
      fail "wasm-component-ld could not be built; the lines above say why." "Check the network and that a C compiler is there, then try again."
    cp "$dir/linker/bin/wasm-component-ld" "$to/"
    ln -s "$wasm_ld" "$to/rust-lld"
    ln -s "$wasm_ld" "$to/gcc-ld/wasm-ld"
  fi
  ln -sf gcc-ld/wasm-ld "$to/wasm-ld"
}

# compile_std TARGET: std, with this machine's folders kept out of it, and the C library's start files beside it.
compile_std() {
  local target=$1 began=$SECONDS build=$dir/build library libc version
  say "compiling std for $target (some minutes)"
  library=$new/lib/rustlib/$target/lib
  mkdir -p "$library/self-contained"
  libc=$unpacked/usr/lib/$target
  if [ -d "$libc" ]; then cp -a "$libc"/*.o "$libc"/lib*.a "$library/self-contained/"; fi
  version=$("$new/bin/rustc" --version | cut -d' ' -f2)
  rm -rf "$build"
  mkdir -p "$build/src"
  cat >"$build/Cargo.toml" <<END
[package]
name = "std-for-$target"
version = "0.0.0"
edition = "2024"
[lib]
[profile.release]
opt-level = 3
codegen-units = 1
debug = 0
[workspace]
END
  echo '#![no_std]' >"$build/src/lib.rs"
  (
    # the crates that std stands on come with the checksums that its own lock file names
    cd "$build" && env -u RUSTUP_TOOLCHAIN -u CARGO_BUILD_TARGET -u CARGO_ENCODED_RUSTFLAGS RUSTC_BOOTSTRAP=1 \
      RUSTFLAGS="-Cembed-bitcode=yes --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo --remap-path-prefix=$sources=/rustc/$version" \
      CARGO_TARGET_DIR="$build/target" RUSTC="$new/bin/rustc" \
      "$new/bin/cargo" build --quiet --release -Z build-std=std,panic_abort,test,proc_macro --target "$target" >&2
  ) || fail "std could not be compiled for $target; the lines above say why." \
    "Check the network and the space in $dir, then try again."
  find "$build/target/$target/release" -name 'lib*.rlib' ! -name 'libstd_for_*' -exec cp {} "$library/" \;
  rm -rf "$build"
  say "std for $target: $((SECONDS - began)) s"
}

make_toolchain() {
  local began=$SECONDS target
  apt=$dir/apt unpacked=$dir/unpacked new=$toolchain.new
  say "making a toolchain in $toolchain"
  check_system
  set_up_apt
  fetch_packages
  lay_out
  add_linkers
  for target in $targets; do compile_std "$target"; done
  rm -rf "$unpacked" "$apt" "$new/lib/rustlib/src"
  echo "$stamp" >"$new/.stamp"
  # the old one goes only when the new one is whole
  rm -rf "$toolchain.old"
  if [ -e "$toolchain" ]; then mv "$toolchain" "$toolchain.old"; fi
  mv "$new" "$toolchain"
  rm -rf "$toolchain.old"
  say "made in $((SECONDS - began)) s, $(du -sh "$toolchain" | cut -f1)"
}

register() {
  local linked
  if ! has_rustup; then
    echo "$toolchain/bin/cargo"
    return
  fi
  linked=$(rustup toolchain list -v 2>/dev/null | awk -v name="$name" '$1 == name { print $NF }')
  if [ "$linked" != "$toolchain" ]; then
    say "rustup toolchain link $name $toolchain"
    rustup toolchain link "$name" "$toolchain" >&2
  fi
  echo "$name"
}

main() {
  local found
  parse_options "$@"
  if [ "$force" = 0 ]; then
    found=$(find_existing)
    if [ -z "$found" ]; then found=$(add_with_rustup); fi
    if [ -n "$found" ]; then
      say "$targets: $found"
      echo "$found"
      return
    fi
  fi
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  toolchain=$dir/toolchain
  # two that start at once make one
  exec 9>"$dir/lock"
  flock 9
  is_current || make_toolchain
  register
}

# read whole before it runs, so that it may be replaced while it does
{
  main "$@"
  exit
}
