// SPDX-License-Identifier: MIT
/*
 * Weights in tiles (TYPE_Q8_0 or TYPE_Q4_0): LANES rows side by side, as a subgroup reads them. For each two blocks of a
 * row, PAIR columns, a tile has PAIR_NUMBERS words of numbers, those of the first block first, and a word with both scales
 * as F16; each word LANES times, once for each row. Tiles of the same rows follow each other. See pack() in tiles.c.
 */
#define PAIR 64

#if defined(TYPE_Q8_0)
#define PAIR_NUMBERS 16
#else
#define PAIR_NUMBERS 8 /* each of elements j … j + 3 and j + 16 … j + 19 of a block */
#endif
#define PAIR_WORDS    (PAIR_NUMBERS + 1)
#define BLOCK_NUMBERS (PAIR_NUMBERS / 2)
