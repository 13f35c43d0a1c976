#!/usr/bin/env sh
# Trains the same three models with plain PyTorch and with Paddock, one after another, and prints the ratio of their speeds, each at its
# best number of threads. PYTHON names the interpreter that has torch, BLAS a folder with the libblas.so.3 that torch is to use (the
# system's choice otherwise), THREADS the numbers of threads, MODELS a part of tiny,small,smollm2. See README.md beside this file.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}
models=${MODELS:-tiny,small,smollm2}
"$python" -c 'import torch' 2>/dev/null || { echo "side-by-side: '$python' has no torch; set PYTHON, see $here/README.md" >&2; exit 1; }
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for threads in ${THREADS:-1 2}; do
    # a BLAS that torch does not know is not told the number of threads by torch
    OMP_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads BLIS_NUM_THREADS=$threads LD_LIBRARY_PATH=${BLAS:-}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
        "$python" "$here/train_torch.py" --threads "$threads" --only "$models" > "$results/torch.log"
    tail -n 1 "$results/torch.log" > "$results/torch-$threads.json"
    "$here/../../paddock" bench --json --only train --threads "$threads" > "$results/paddock.log" 2> "$results/errors.log" || { cat "$results/errors.log" >&2; exit 1; }
    tail -n 1 "$results/paddock.log" > "$results/paddock-$threads.json"
done
"$python" - "$results" <<'PYTHON'
import glob
import json
import sys

best = {"torch": {}, "paddock": {}}
versions = set()
for side in best:
    for path in sorted(glob.glob(f"{sys.argv[1]}/{side}-*.json")):
        document = json.load(open(path))
        if side == "torch":
            versions.add(f"torch {document['torch']} with {document['blas']}")
        for row in document["train"]:
            threads = row.get("threads", document.get("threads"))
            if row["tokensPerSecond"] > best[side].get(row["name"], (0, 0))[0]:
                best[side][row["name"]] = (row["tokensPerSecond"], threads)
print(f"tokens/s of training, best number of threads in brackets; {'; '.join(sorted(versions))}")
print(f"{'model':10} {'torch':>14} {'paddock':>14} {'paddock / torch':>16}")
for name, (torch_rate, torch_threads) in best["torch"].items():
    rate, threads = best["paddock"][name]
    print(f"{name:10} {torch_rate:10.0f} [{torch_threads}] {rate:10.0f} [{threads}] {rate / torch_rate:16.2f}")
PYTHON
