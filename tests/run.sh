#!/usr/bin/env bash
# Every test, from a fresh clone, with Rust and Python alone. Artefacts are kept outside the clone, so that a second run and
# another clone use them again: VL_TARGET or CARGO_TARGET_DIR says where.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${VL_TARGET:-$HOME/.cache/vision-language/target}}"
out="$CARGO_TARGET_DIR/vl/test-run"
# Cargo tells two checkouts of one target folder apart by their files' times alone: ours are made new where another was the last.
mkdir -p "$CARGO_TARGET_DIR/vl"
if [ "$(cat "$CARGO_TARGET_DIR/vl/checkout" 2>/dev/null)" != "$PWD" ]; then
    find . -name target -prune -o -name '*.rs' -exec touch {} +
    echo "$PWD" > "$CARGO_TARGET_DIR/vl/checkout"
fi
step() { printf '\n== %s\n' "$*"; }

step "format"
cargo fmt --all --check

step "stubs and notebooks are what their masters say"
cargo build -p course -p exercises -p solutions
cargo vl sync --check

step "the notebooks, as a student gets them and solved, on the real kernel"
rm -rf "$out"
cargo vl run --out "$out/student"
cargo vl sync --solved "$out/solved"
cargo vl run --out "$out/solved-run" "$out"/solved/*.ipynb

step "the kernel's own units"
cargo test -p course-kernel --lib --bins

# The attacks and a class with every known solution through the sandbox are among these: solutions/tests.
step "units, goldens, commands"
cargo test -p vision-language -p course -p exercises -p solutions --no-fail-fast
