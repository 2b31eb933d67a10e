#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains ember on stories that corpus.py writes as they are needed, and writes it as GGUF.

A Llama: RMS norms, rotary positions on adjacent pairs (2i, 2i + 1), grouped-query attention, SwiGLU, and an
output matrix that is the embedding. The weights written are a running mean over the last steps.
"""
import argparse
import copy
import math
import pathlib
import random
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import corpus
import gguf
import tokenizer as tok

DIM, LAYERS, HEADS, KV_HEADS, HIDDEN = 128, 4, 4, 2, 256
HEAD = DIM // HEADS
CONTEXT = 512
EPSILON = 1e-5
ROPE_BASE = 10000.0
VOCABULARY = 2048
VOCABULARY_STORIES, VOCABULARY_SEED = 2000, 7
HELD_OUT_STORIES, HELD_OUT_SEED = 64, 11
TRAINING_SEED = 1
MUON_RATE, ADAM_RATE, WARM_UP = 0.02, 4e-3, 30
POOL = 16  # batches that are sorted by length together, so that little of a batch is padding


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(DIM))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON) * self.weight


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn_norm, self.ffn_norm = Norm(), Norm()
        self.attn_q = nn.Linear(DIM, HEADS * HEAD, bias=False)
        self.attn_k = nn.Linear(DIM, KV_HEADS * HEAD, bias=False)
        self.attn_v = nn.Linear(DIM, KV_HEADS * HEAD, bias=False)
        self.attn_output = nn.Linear(HEADS * HEAD, DIM, bias=False)
        self.ffn_gate = nn.Linear(DIM, HIDDEN, bias=False)
        self.ffn_up = nn.Linear(DIM, HIDDEN, bias=False)
        self.ffn_down = nn.Linear(HIDDEN, DIM, bias=False)

    def forward(self, x, turn, mask):
        batch, length, _ = x.shape
        y = self.attn_norm(x)
        q = rotate(self.attn_q(y).view(batch, length, HEADS, HEAD), turn).transpose(1, 2)
        k = rotate(self.attn_k(y).view(batch, length, KV_HEADS, HEAD), turn).transpose(1, 2)
        v = self.attn_v(y).view(batch, length, KV_HEADS, HEAD).transpose(1, 2)
        k = k.repeat_interleave(HEADS // KV_HEADS, 1)
        v = v.repeat_interleave(HEADS // KV_HEADS, 1)
        weights = (q @ k.transpose(2, 3) * HEAD ** -0.5 + mask).softmax(-1)
        x = x + self.attn_output((weights @ v).transpose(1, 2).reshape(batch, length, HEADS * HEAD))
        y = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(y)) * self.ffn_up(y))


def rotate(x, turn):
    """Turns each pair of adjacent elements of [batch × length × heads × HEAD] by its angle."""
    cos, sin = turn
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


class Ember(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.token_embd = nn.Embedding(vocabulary, DIM)
        self.blk = nn.ModuleList(Block() for _ in range(LAYERS))
        self.output_norm = Norm()
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                last = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(weight, std=0.04 / (math.sqrt(2 * LAYERS) if last else 1))
        angles = torch.outer(torch.arange(CONTEXT), ROPE_BASE ** (-torch.arange(0, HEAD, 2) / HEAD))
        self.cos, self.sin = angles.cos()[:, None], angles.sin()[:, None]
        self.mask = torch.full((CONTEXT, CONTEXT), -math.inf).triu(1)

    def forward(self, tokens, targets):
        """Mean loss of the targets that are not negative, [batch × length] each."""
        length = tokens.shape[1]
        turn, mask = (self.cos[:length], self.sin[:length]), self.mask[:length, :length]
        x = self.token_embd(tokens)
        for block in self.blk:
            x = block(x, turn, mask)
        x = self.output_norm(x)[targets >= 0]
        return functional.cross_entropy(x @ self.token_embd.weight.T, targets[targets >= 0])


def orthogonal(matrix):
    """Roughly the nearest orthogonal matrix: five steps of a Newton-Schulz iteration whose quintic pulls
    all singular values towards 1."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum whose steps are made orthogonal, for the matrices inside the blocks."""

    def __init__(self, weights, lr, momentum=0.95):
        super().__init__(weights, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                moving = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
                moving.lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(moving, group["momentum"])
                longer = max(1, weight.shape[0] / weight.shape[1]) ** 0.5
                weight.sub_(orthogonal(ahead), alpha=group["lr"] * longer)


def batch_of(rows):
    """Tokens and the next tokens, padded to the longest row."""
    length = max(map(len, rows)) - 1
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    targets = torch.full((len(rows), length), -1)
    for i, row in enumerate(rows):
        tokens[i, :len(row) - 1] = torch.tensor(row[:-1])
        targets[i, :len(row) - 1] = torch.tensor(row[1:])
    return tokens, targets


def batches(tokenizer, steps, size):
    """Yields a batch a step, from stories none of which was seen before."""
    source = corpus.stories(steps * size + POOL * size, TRAINING_SEED)
    order = random.Random(TRAINING_SEED)
    for step in range(0, steps, POOL):
        rows = [tokenizer.encode(next(source)[1]) + [tok.END] for _ in range(POOL * size)]
        rows.sort(key=len)
        pool = [rows[i:i + size] for i in range(0, len(rows), size)]
        order.shuffle(pool)
        for rows in pool[:steps - step]:
            yield batch_of(rows)


def metadata(tokenizer, kind):
    return [
        ("general.architecture", gguf.STRING, "llama"),
        ("general.name", gguf.STRING, "ember"),
        ("general.description", gguf.STRING, "little stories in English, French, Portuguese and Hindi"),
        ("general.license", gguf.STRING, "MIT"),
        ("general.languages", (gguf.ARRAY, gguf.STRING), list(corpus.LANGUAGES)),
        ("general.file_type", gguf.U32, {"f16": 1, "q4_0": 2, "q8_0": 7}[kind]),
        ("llama.context_length", gguf.U32, CONTEXT),
        ("llama.embedding_length", gguf.U32, DIM),
        ("llama.block_count", gguf.U32, LAYERS),
        ("llama.feed_forward_length", gguf.U32, HIDDEN),
        ("llama.attention.head_count", gguf.U32, HEADS),
        ("llama.attention.head_count_kv", gguf.U32, KV_HEADS),
        ("llama.attention.layer_norm_rms_epsilon", gguf.F32, EPSILON),
        ("llama.rope.dimension_count", gguf.U32, HEAD),
        ("llama.rope.freq_base", gguf.F32, ROPE_BASE),
        ("llama.vocab_size", gguf.U32, len(tokenizer.tokens)),
        ("tokenizer.ggml.model", gguf.STRING, "llama"),
        ("tokenizer.ggml.pre", gguf.STRING, "default"),
        ("tokenizer.ggml.tokens", (gguf.ARRAY, gguf.STRING), tokenizer.tokens),
        ("tokenizer.ggml.scores", (gguf.ARRAY, gguf.F32), tokenizer.scores),
        ("tokenizer.ggml.token_type", (gguf.ARRAY, gguf.I32), tokenizer.types),
        ("tokenizer.ggml.unknown_token_id", gguf.U32, tok.UNKNOWN),
        ("tokenizer.ggml.bos_token_id", gguf.U32, tok.BEGIN),
        ("tokenizer.ggml.eos_token_id", gguf.U32, tok.END),
        ("tokenizer.ggml.add_bos_token", gguf.BOOL, True),
        ("tokenizer.ggml.add_eos_token", gguf.BOOL, False),
        ("tokenizer.ggml.add_space_prefix", gguf.BOOL, True),
    ]


def save(model, tokenizer, folder):
    """Writes the three files. The embedding, which is the output matrix too, keeps 8 bits in q4_0."""
    for kind in ("f16", "q8_0", "q4_0"):
        tensors = []
        for name, weight in model.named_parameters():
            stored = "f32" if weight.dim() == 1 else kind
            if kind == "q4_0" and name == "token_embd.weight":
                stored = "q8_0"
            tensors.append((name, weight.detach().numpy(), stored))
        gguf.write(folder / f"ember-{kind}.gguf", metadata(tokenizer, kind), tensors)


def held_out_loss(model, rows, size):
    with torch.no_grad():
        return np.mean([model(*batch_of(rows[i:i + size])).item()
                        for i in range(0, len(rows), size)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--batch", type=int, default=16, help="stories a step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=50, help="steps between reports")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("models"))
    arguments = parser.parse_args()
    torch.manual_seed(TRAINING_SEED)
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)

    tokenizer = tok.train((text for _, text in
                           corpus.stories(VOCABULARY_STORIES, VOCABULARY_SEED)), VOCABULARY)
    held_out = sorted((tokenizer.encode(text) + [tok.END] for _, text in
                       corpus.stories(HELD_OUT_STORIES, HELD_OUT_SEED)), key=len)
    model = Ember(len(tokenizer.tokens))
    mean = copy.deepcopy(model)
    print(f"{len(tokenizer.tokens)} tokens, {sum(w.numel() for w in model.parameters())} parameters, "
          f"stories of {len(held_out[0])} to {len(held_out[-1])} tokens", flush=True)
    inner = [w for w in model.blk.parameters() if w.dim() == 2]
    outer = [w for w in model.parameters() if not any(w is other for other in inner)]
    optimizers = [Muon(inner, MUON_RATE), torch.optim.Adam(outer, ADAM_RATE, betas=(0.9, 0.98))]
    rates = [MUON_RATE, ADAM_RATE]
    start, losses = time.monotonic(), []
    for step, (tokens, targets) in enumerate(batches(tokenizer, arguments.steps, arguments.batch), 1):
        slope = min(step / WARM_UP, (arguments.steps - step + 1) / arguments.steps)
        for optimizer, rate in zip(optimizers, rates):
            optimizer.param_groups[0]["lr"] = rate * slope
            optimizer.zero_grad(set_to_none=True)
        loss = model(tokens, targets)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append(loss.item())
        keep = min(0.99, step / (step + 10))
        with torch.no_grad():
            for averaged, weight in zip(mean.parameters(), model.parameters()):
                averaged.lerp_(weight, 1 - keep)
        if step % arguments.every == 0 or step == arguments.steps:
            print(f"step {step:5}  stories {step * arguments.batch:6}  loss {np.mean(losses):.4f}  "
                  f"held out {held_out_loss(mean, held_out, arguments.batch):.4f}  "
                  f"{time.monotonic() - start:6.0f} s", flush=True)
            losses = []
            save(mean, tokenizer, arguments.out)


if __name__ == "__main__":
    main()
