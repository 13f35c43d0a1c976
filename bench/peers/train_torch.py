#!/usr/bin/env python3
"""Training speed of plain PyTorch on the three models of `paddock bench`: the same sizes, batches, loss and optimizer.

Prints one JSON document as the last line: {"torch", "blas", "threads", "train": [{"name", "tokensPerSecond"}]}. Works from PyTorch 1.13 on.
Usage: train_torch.py [--threads N] [--only tiny,small,smollm2] [--seconds S]
"""
import argparse
import json
import math
import os
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

# name: hidden, layers, heads, key/value heads, feed-forward, vocabulary, sequences, length
MODELS = {
    "tiny": (192, 4, 6, 6, 512, 1024, 32, 64),
    "small": (384, 6, 6, 6, 1024, 8192, 8, 128),
    "smollm2": (576, 30, 9, 3, 1536, 49152, 4, 128),
}


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


def rotate(x, cos, sin):
    low, high = x.chunk(2, -1)
    return torch.cat([low * cos - high * sin, high * cos + low * sin], -1)


def attend(q, k, v, mask):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]) + mask
    return torch.softmax(scores, -1) @ v


class Block(nn.Module):
    def __init__(self, hidden, heads, kv, feed_forward):
        super().__init__()
        self.heads, self.kv, self.size = heads, kv, hidden // heads
        self.attention_norm, self.mlp_norm = RMSNorm(hidden), RMSNorm(hidden)
        self.qkv = nn.Linear(hidden, (heads + 2 * kv) * self.size, bias=False)
        self.out = nn.Linear(hidden, hidden, bias=False)
        self.gate_up = nn.Linear(hidden, 2 * feed_forward, bias=False)
        self.down = nn.Linear(feed_forward, hidden, bias=False)

    def forward(self, x, cos, sin, mask):
        B, T, C = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(B, T, self.heads + 2 * self.kv, self.size).transpose(1, 2)
        q, k, v = qkv.split([self.heads, self.kv, self.kv], 1)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if self.kv < self.heads:
            k, v = (t.repeat_interleave(self.heads // self.kv, 1) for t in (k, v))
        x = x + self.out(attend(q, k, v, mask).transpose(1, 2).reshape(B, T, C))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Llama(nn.Module):
    def __init__(self, hidden, layers, heads, kv, feed_forward, vocabulary, length):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.blocks = nn.ModuleList(Block(hidden, heads, kv, feed_forward) for _ in range(layers))
        self.norm = RMSNorm(hidden)
        size = hidden // heads
        angles = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(0, size, 2) / size)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        self.register_buffer("mask", torch.full((length, length), float("-inf")).triu(1))
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.cos, self.sin, self.mask)
        return F.linear(self.norm(x), self.embedding.weight)


def measure(name, seconds):
    hidden, layers, heads, kv, feed_forward, vocabulary, sequences, length = MODELS[name]
    torch.manual_seed(1)
    model = Llama(hidden, layers, heads, kv, feed_forward, vocabulary, length)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
    tokens = torch.randint(vocabulary, (sequences, length + 1))

    def step():
        loss = F.cross_entropy(model(tokens[:, :-1]).reshape(-1, vocabulary), tokens[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    step()
    step()
    best, begun, steps = float("inf"), time.perf_counter(), 0
    while steps < 3 or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        step()
        best = min(best, time.perf_counter() - start)
        steps += 1
    return sequences * length / best


def blas():
    """The library that multiplies matrices: the one loaded beside torch, or what torch was built with."""
    found = set()
    try:
        with open("/proc/self/maps") as maps:
            for line in maps:
                name = line.rsplit("/", 1)[-1].strip()
                if any(part in name for part in ("blas", "blis", "mkl")) and "lapack" not in name:
                    found.add(line.split()[-1].strip())
    except OSError:
        pass
    if found:
        return ", ".join(sorted(os.path.realpath(path) for path in found))
    return "its own MKL" if torch.backends.mkl.is_available() else "an unknown BLAS"


def check():
    """Refuses to time a BLAS that computes wrong numbers."""
    torch.manual_seed(2)
    a, b = torch.randn(192, 576), torch.randn(320, 576)
    error = (a @ b.t() - (a.double() @ b.double().t()).float()).abs().max().item()
    if not error < 1e-3:
        sys.exit(f"{blas()}: a product is wrong by {error}; use another BLAS")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default=",".join(MODELS))
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    check()
    rows = []
    for name in options.only.split(","):
        rate = measure(name, options.seconds)
        print(f"torch {torch.__version__}, {options.threads} threads, {name}: {rate:.0f} tokens/s", file=sys.stderr)
        rows.append({"name": name, "tokensPerSecond": round(rate, 1)})
    print(json.dumps({"torch": torch.__version__, "blas": blas(), "threads": options.threads, "train": rows}))


if __name__ == "__main__":
    main()
