# SPDX-License-Identifier: MIT
"""ember's tokenizer: trains a byte-pair vocabulary in SentencePiece's form and cuts text with it.

A space is written as U+2581 before the word it precedes; a text starts with one. No token spans two words
or a word and a mark, so a text can be cut word by word. Cutting merges, again and again, the adjacent pair
whose joined token has the highest score; scores are minus the rank, so that is the order of training.
"""
import collections
import re
import string

SPACE = "\u2581"
MARKS = ",.!?;:'\"«»।—-"
UNKNOWN, BEGIN, END = 0, 1, 2
NORMAL_TYPE, UNKNOWN_TYPE, CONTROL_TYPE, BYTE_TYPE = 1, 2, 3, 6
WORD = re.compile(f"{SPACE}?(?:[^{SPACE}{re.escape(MARKS)}]+|[{re.escape(MARKS)}])|{SPACE}")
CHUNK = re.compile(f"{SPACE}?[^{SPACE}]+|{SPACE}")


def spell(text):
    """The text as its tokens spell it."""
    return SPACE + text.replace(" ", SPACE)


class Tokenizer:
    """Tokens in the order of their ids, with scores and types as GGUF stores them."""

    def __init__(self, tokens, scores, types):
        self.tokens = tokens
        self.scores = scores
        self.types = types
        self.ids = {token: i for i, token in enumerate(tokens) if types[i] == NORMAL_TYPE}
        self.byte_ids = {int(token[3:5], 16): i for i, token in enumerate(tokens)
                         if types[i] == BYTE_TYPE}
        self.known = {}

    def cut(self, chunk):
        """The ids of one word with the marks around it."""
        parts = list(chunk)
        while True:
            best, place = None, 0
            for i in range(len(parts) - 1):
                joined = self.ids.get(parts[i] + parts[i + 1])
                if joined is not None and (best is None or self.scores[joined] > best):
                    best, place = self.scores[joined], i
            if best is None:
                break
            parts[place:place + 2] = [parts[place] + parts[place + 1]]
        ids = []
        for part in parts:
            if part in self.ids:
                ids.append(self.ids[part])
            else:
                ids.extend(self.byte_ids[byte] for byte in part.encode())
        return ids

    def encode(self, text):
        """The ids of a text, BEGIN first."""
        ids = [BEGIN]
        for chunk in CHUNK.findall(spell(text)):
            if chunk not in self.known:
                self.known[chunk] = self.cut(chunk)
            ids.extend(self.known[chunk])
        return ids

    def decode(self, ids):
        """The text of ids, without the space that encode() put in front."""
        out = b""
        for i in ids:
            if self.types[i] == BYTE_TYPE:
                out += bytes([int(self.tokens[i][3:5], 16)])
            elif self.types[i] == NORMAL_TYPE:
                out += self.tokens[i].replace(SPACE, " ").encode()
        return out.decode("utf-8", "replace").removeprefix(" ")


def most_frequent_pair(words):
    """The pair that occurs most often, the first in order of its letters among equals."""
    pairs = collections.Counter()
    for parts, count in words:
        for pair in zip(parts, parts[1:]):
            pairs[pair] += count
    if not pairs:
        return None
    most = max(pairs.values())
    return min(pair for pair, count in pairs.items() if count == most)


def train(texts, size):
    """A tokenizer of at most size tokens from an iterable of texts."""
    counts = collections.Counter()
    for text in texts:
        counts.update(WORD.findall(spell(text)))
    letters = set("".join(counts)) | set(string.ascii_letters + string.digits)
    room = size - 3 - 256 - len(letters)
    words = [(list(word), count) for word, count in sorted(counts.items())]
    merged = []
    while len(merged) < room:
        pair = most_frequent_pair(words)
        if pair is None:
            break
        joined = pair[0] + pair[1]
        if joined not in merged:
            merged.append(joined)
        for parts, _ in words:
            for i in range(len(parts) - 2, -1, -1):
                if i + 1 < len(parts) and parts[i] == pair[0] and parts[i + 1] == pair[1]:
                    parts[i:i + 2] = [joined]
    pieces = merged + sorted(letters)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + pieces
    scores = [0.0] * 259 + [-float(rank) for rank in range(len(pieces))]
    types = [UNKNOWN_TYPE, CONTROL_TYPE, CONTROL_TYPE] + [BYTE_TYPE] * 256 + \
        [NORMAL_TYPE] * len(pieces)
    return Tokenizer(tokens, scores, types)
