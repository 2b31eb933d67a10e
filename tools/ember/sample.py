#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Continues prompts greedily with a GGUF file of ember, in float64 and plain numpy, and judges the result.

Shows each story with its number of tokens and the smallest distance, over all steps, between the logits of
the token taken and of the next best: where that is not small, any device must take the same tokens. Fails
if a story does not end by itself, or the distance is below --margin.
"""
import argparse
import sys

import numpy as np

import gguf
import tokenizer as tok

PROMPTS = ["Once upon a time", "Il était une fois", "Era uma vez", "एक समय की बात है"]


class Model:
    """The transformer, one token at a time."""

    def __init__(self, path):
        self.meta, tensors = gguf.read(path)
        self.weights = {name: array.astype(np.float64) for name, array in tensors.items()}
        self.layers = self.meta["llama.block_count"]
        self.heads = self.meta["llama.attention.head_count"]
        self.kv_heads = self.meta["llama.attention.head_count_kv"]
        self.head = self.meta["llama.rope.dimension_count"]
        self.epsilon = self.meta["llama.attention.layer_norm_rms_epsilon"]
        self.frequencies = self.meta["llama.rope.freq_base"] ** (-np.arange(0, self.head, 2) / self.head)
        self.forget()

    def forget(self):
        self.keys = [[] for _ in range(self.layers)]
        self.values = [[] for _ in range(self.layers)]

    def norm(self, x, name):
        return x / np.sqrt(np.mean(x * x) + self.epsilon) * self.weights[name + ".weight"]

    def rotate(self, x, position):
        """Turns the pairs (2i, 2i + 1) of each head, [heads × head]."""
        cos, sin = np.cos(position * self.frequencies), np.sin(position * self.frequencies)
        out = np.empty_like(x)
        out[:, 0::2] = x[:, 0::2] * cos - x[:, 1::2] * sin
        out[:, 1::2] = x[:, 0::2] * sin + x[:, 1::2] * cos
        return out

    def attend(self, x, layer):
        name = f"blk.{layer}."
        position = len(self.keys[layer])
        y = self.norm(x, name + "attn_norm")
        q, k, v = (self.weights[f"{name}attn_{part}.weight"] @ y for part in "qkv")
        q = self.rotate(q.reshape(self.heads, self.head), position)
        self.keys[layer].append(self.rotate(k.reshape(self.kv_heads, self.head), position))
        self.values[layer].append(v.reshape(self.kv_heads, self.head))
        keys, values = np.array(self.keys[layer]), np.array(self.values[layer])
        out = []
        for head in range(self.heads):
            group = head * self.kv_heads // self.heads
            scores = keys[:, group] @ q[head] / np.sqrt(self.head)
            scores = np.exp(scores - scores.max())
            out.append(scores @ values[:, group] / scores.sum())
        return x + self.weights[name + "attn_output.weight"] @ np.concatenate(out)

    def feed(self, x, layer):
        name = f"blk.{layer}."
        y = self.norm(x, name + "ffn_norm")
        gate = self.weights[name + "ffn_gate.weight"] @ y
        up = self.weights[name + "ffn_up.weight"] @ y
        return x + self.weights[name + "ffn_down.weight"] @ (gate / (1 + np.exp(-gate)) * up)

    def step(self, token):
        """The logits after one more token."""
        x = self.weights["token_embd.weight"][token]
        for layer in range(self.layers):
            x = self.feed(self.attend(x, layer), layer)
        output = self.weights.get("output.weight", self.weights["token_embd.weight"])
        return output @ self.norm(x, "output_norm")


def greedy(model, ids, limit):
    """The ids that follow, whether the text ended by itself, and the smallest distance of two logits."""
    model.forget()
    for token in ids:
        logits = model.step(token)
    new, margin = [], np.inf
    while len(ids) + len(new) < limit:
        second, first = np.argsort(logits)[-2:]
        margin = min(margin, logits[first] - logits[second])
        if first == tok.END:
            return new, True, margin
        new.append(int(first))
        logits = model.step(first)
    return new, False, margin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("prompts", nargs="*", default=PROMPTS)
    parser.add_argument("--margin", type=float, default=0.0, help="the least distance that is good")
    arguments = parser.parse_args()
    model = Model(arguments.model)
    tokenizer = tok.Tokenizer(*(model.meta["tokenizer.ggml." + key]
                                for key in ("tokens", "scores", "token_type")))
    good = True
    for prompt in arguments.prompts:
        ids = tokenizer.encode(prompt)
        new, ended, margin = greedy(model, ids, model.meta["llama.context_length"])
        print(tokenizer.decode(ids + new))
        print(f"  [{len(ids)} + {len(new)} tokens, {'ended' if ended else 'did not end'}, "
              f"smallest distance {margin:.3f}]")
        good = good and ended and margin >= arguments.margin
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
