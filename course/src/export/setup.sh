#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image: Rust, the library, the command.
set -euo pipefail
here="${VL_AUTOGRADER:-/autograder}"
export RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH="/usr/local/cargo/bin:$PATH"
if ! command -v cargo > /dev/null; then
  apt-get update
  apt-get install -y --no-install-recommends build-essential ca-certificates curl
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain 1.95
fi
cd "$here/source/course"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$here/target}"
cargo build --locked -p solutions
# Builds the library once: a submission compiles only its own code.
"$CARGO_TARGET_DIR/debug/solutions" check --json > /dev/null || test $? = 1
