#!/usr/bin/env bash
# The sandbox as another user than root, and the refusal where a layer is missing. Run as root, after `cargo vl check` and
# `cargo build -p solutions`: `bash solutions/tests/layers.sh CLASS` grades CLASS (a folder of submissions) four times.
# Everything is mounted in a namespace of this script's alone; nothing of it stays.
set -euo pipefail
cd "$(dirname "$0")/../.."
class="$(realpath "$1")" target="${CARGO_TARGET_DIR:-$PWD/target}"
case "$target" in /root/*) echo "CARGO_TARGET_DIR is $target: what lies in /root cannot be seen by another user" >&2 && exit 2 ;; esac
if [ "${VL_LAYERS:-}" != inside ]; then
    exec unshare -m env VL_LAYERS=inside CARGO_TARGET_DIR="$target" bash "$PWD/solutions/tests/layers.sh" "$class"
fi
sysroot="$(rustc --print sysroot)" place="$(mktemp -d)"
mount --make-rprivate /
# Somebody else may not look into root's home: the toolchain alone is put there.
mkdir "$place/sysroot" "$place/check" "$place/out" "$place/root"
mount --bind "$sysroot" "$place/sysroot"
mount -t tmpfs -o mode=755 tmpfs /root
mkdir -p "$sysroot"
mount --bind "$place/sysroot" "$sysroot"
# What `vl check` keeps, as a folder of this user's own.
check="$target/vl/check"
cp -p "$check/library.json" "$place/check/"
mount --bind "$place/check" "$check"
chown -R 12345:12345 "$place/check" "$place/out"
chmod 755 "$place"
export HOME="$place/out" CARGO_TARGET_DIR="$target" PATH="$sysroot/bin:$PATH"
grade() {
    setpriv --reuid=12345 --regid=12345 --clear-groups "$target/debug/solutions" grade "$class" --jobs 1 "$@"
}
echo "== another user, all layers"
grade --out "$place/out/all" --json | grep -o '"points":[0-9]*,"seconds"' | head -3
# In a changed root nobody but root gets a user namespace.
mount --rbind / "$place/root"
jailed() {
    chroot "$place/root" setpriv --reuid=12345 --regid=12345 --clear-groups env HOME="$HOME" PATH="$PATH" \
        CARGO_TARGET_DIR="$target" sh -c 'cd "$0" && exec "$@"' "$PWD" "$target/debug/solutions" grade "$class" --jobs 1 "$@"
}
echo "== without namespaces: must refuse"
if jailed --out "$place/out/refused" 2> "$place/out/words"; then
    echo "it graded without namespaces and without being told to" && exit 1
fi
grep "has no namespaces" "$place/out/words"
[ ! -e "$place/out/refused/submissions" ]
echo "== without namespaces, by name"
jailed --out "$place/out/named" --without namespaces --json | grep -o '"points":[0-9]*,"seconds"' | head -3
for name in "$place"/out/all/submissions/*; do
    diff <(grep '"score"' "$name/results.json") <(grep '"score"' "$place/out/named/submissions/$(basename "$name")/results.json")
done
echo "The same grades as another user, with all layers and without namespaces."
