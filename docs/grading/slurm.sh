#!/usr/bin/env bash
# A class on Slurm: `sbatch slurm.sh CLASS OUT`, then `cargo vl grade --merge OUT --out OUT`.
# Build once before, on a machine with the same processors: `cargo build -p solutions && cargo vl check`.
#SBATCH --array=0-7
#SBATCH --cpus-per-task=2
#SBATCH --mem=10G
#SBATCH --time=01:00:00
set -euo pipefail
"${CARGO_TARGET_DIR:-target}/debug/solutions" grade "$1" --out "$2" --jobs "${SLURM_CPUS_PER_TASK:-2}" \
  --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
