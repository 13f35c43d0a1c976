#!/usr/bin/env sh
# Trains the same three models with plain PyTorch and with Paddock, one after another, and prints the ratio of their speeds, each at its
# best number of threads. PYTHON names the interpreter that has torch.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for threads in ${THREADS:-1 2}; do
    "$python" "$here/train_torch.py" --threads "$threads" | tail -n 1 > "$results/torch-$threads.json"
    "$here/../../paddock" bench --json --only train --threads "$threads" 2>/dev/null | tail -n 1 > "$results/paddock-$threads.json"
done
"$python" - "$results" <<'PYTHON'
import glob
import json
import sys

best = {"torch": {}, "paddock": {}}
version = ""
for side in best:
    for path in sorted(glob.glob(f"{sys.argv[1]}/{side}-*.json")):
        document = json.load(open(path))
        version = document.get("torch", version)
        for row in document["train"]:
            threads = row.get("threads", document.get("threads"))
            if row["tokensPerSecond"] > best[side].get(row["name"], (0, 0))[0]:
                best[side][row["name"]] = (row["tokensPerSecond"], threads)
print(f"tokens/s of training, best number of threads in brackets; torch {version}")
print(f"{'model':10} {'torch':>14} {'paddock':>14} {'paddock / torch':>16}")
for name, (torch_rate, torch_threads) in best["torch"].items():
    rate, threads = best["paddock"][name]
    print(f"{name:10} {torch_rate:10.0f} [{torch_threads}] {rate:10.0f} [{threads}] {rate / torch_rate:16.2f}")
PYTHON
