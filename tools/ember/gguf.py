# SPDX-License-Identifier: MIT
"""Writes and reads GGUF version 3, as far as ember needs it: F32, F16, Q8_0 and Q4_0 tensors."""
import pathlib
import struct

import numpy as np

MAGIC = b"GGUF"
VERSION = 3
ALIGNMENT = 32
BLOCK = 32  # elements of a row that share one scale in Q8_0 and Q4_0
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
SCALARS = {U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}
TENSOR_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8}
TENSOR_NAMES = {number: name for name, number in TENSOR_TYPES.items()}


def pack_tensor(array, kind):
    """The bytes of an array [rows × columns], row-major, as ggml lays out the kind."""
    if kind == "f32":
        return array.astype("<f4").tobytes()
    if kind == "f16":
        return array.astype("<f2").tobytes()
    if array.shape[-1] % BLOCK:
        raise ValueError(f"{kind}: rows of {array.shape[-1]} elements, expected a multiple of {BLOCK}")
    blocks = array.astype(np.float32).reshape(-1, BLOCK)
    if kind == "q8_0":
        scale = np.abs(blocks).max(axis=1, keepdims=True) / 127
        inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale != 0)
        packed = np.rint(blocks * inverse).astype(np.int8).view(np.uint8)
    else:
        largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)
        scale = largest / -8
        inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale != 0)
        levels = np.clip(np.floor(blocks * inverse + 8.5), 0, 15).astype(np.uint8)
        packed = levels[:, :BLOCK // 2] | levels[:, BLOCK // 2:] << 4
    return np.hstack([scale.astype("<f2").view(np.uint8), packed]).tobytes()


def unpack_tensor(data, offset, shape, kind):
    """The array of pack_tensor() at an offset, as float32."""
    count = int(np.prod(shape))
    if kind in ("f32", "f16"):
        return np.frombuffer(data, "<f4" if kind == "f32" else "<f2", count, offset) \
            .astype(np.float32).reshape(shape)
    packed_bytes = BLOCK if kind == "q8_0" else BLOCK // 2
    blocks = np.frombuffer(data, np.uint8, count // BLOCK * (2 + packed_bytes), offset) \
        .reshape(-1, 2 + packed_bytes)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    if kind == "q8_0":
        levels = blocks[:, 2:].copy().view(np.int8).astype(np.float32)
    else:
        levels = np.hstack([blocks[:, 2:] & 15, blocks[:, 2:] >> 4]).astype(np.float32) - 8
    return (scale * levels).reshape(shape)


def pack_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def pack_value(kind, value):
    if kind == STRING:
        return pack_string(value)
    return struct.pack(SCALARS[kind], value)


def pack_entry(key, kind, value):
    """A metadata entry; a kind (ARRAY, k) is an array of k."""
    head = pack_string(key)
    if isinstance(kind, tuple):
        return head + struct.pack("<IIQ", ARRAY, kind[1], len(value)) + \
            b"".join(pack_value(kind[1], item) for item in value)
    return head + struct.pack("<I", kind) + pack_value(kind, value)


def write(path, metadata, tensors):
    """metadata: (key, kind, value); tensors: (name, array, type name), shapes as numpy has them.

    The file appears whole: another program may have the old one mapped.
    """
    head = MAGIC + struct.pack("<IQQ", VERSION, len(tensors), len(metadata))
    head += b"".join(pack_entry(*entry) for entry in metadata)
    data = b""
    for name, array, kind in tensors:
        head += pack_string(name) + struct.pack("<I", array.ndim)
        head += struct.pack(f"<{array.ndim}Q", *reversed(array.shape))
        head += struct.pack("<IQ", TENSOR_TYPES[kind], len(data))
        data += pack_tensor(array, kind)
        data += bytes(-len(data) % ALIGNMENT)
    head += bytes(-len(head) % ALIGNMENT)
    unfinished = pathlib.Path(f"{path}.new")
    unfinished.write_bytes(head + data)
    unfinished.replace(path)


class Cursor:
    """Reads values one after the other."""

    def __init__(self, data):
        self.data = data
        self.offset = 0

    def take(self, layout):
        values = struct.unpack_from(layout, self.data, self.offset)
        self.offset += struct.calcsize(layout)
        return values[0]

    def string(self):
        length = self.take("<Q")
        self.offset += length
        return self.data[self.offset - length:self.offset].decode()

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            item, count = self.take("<I"), self.take("<Q")
            return [self.value(item) for _ in range(count)]
        return self.take(SCALARS[kind])


def read(path):
    """The metadata and the tensors (as float32 arrays) of a file, each by name."""
    with open(path, "rb") as file:
        cursor = Cursor(file.read())
    cursor.offset = len(MAGIC)
    if cursor.data[:len(MAGIC)] != MAGIC or cursor.take("<I") != VERSION:
        raise ValueError(f"{path}: not GGUF version {VERSION}")
    tensor_count, entry_count = cursor.take("<Q"), cursor.take("<Q")
    metadata = {}
    for _ in range(entry_count):
        key = cursor.string()
        metadata[key] = cursor.value(cursor.take("<I"))
    table = []
    for _ in range(tensor_count):
        name = cursor.string()
        shape = [cursor.take("<Q") for _ in range(cursor.take("<I"))][::-1]
        kind = cursor.take("<I")
        table.append((name, shape, TENSOR_NAMES[kind], cursor.take("<Q")))
    start = cursor.offset + -cursor.offset % ALIGNMENT
    return metadata, {name: unpack_tensor(cursor.data, start + offset, shape, kind)
                      for name, shape, kind, offset in table}
