#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""random_shader.py SEED FILE: writes a random function that is GLSL and C at once.

The function is uint compute(uint i, uint a, uint b), full of control flow: loops, switches, breaks, early returns, local
arrays, helper functions, and barriers where control flow is the same for a whole work-group. The barriers change no value;
they cut the shader into regions. What the C compiler makes of the text says what the shader must compute.

Names from outside: UNIFORM(k), words that are the same for all; A(k), words of a buffer; GROUP, the work-group's number;
LID, LX, LY, the invocation's number in it and that as two coordinates; MINE, a word of shared memory for each invocation;
BARRIER. The text defines LOCAL_X and LOCAL_Y, the size of a work-group.
"""
import random
import sys

ARRAY = 8
WORDS = 96
SIZES = [(32, 1), (8, 4), (4, 8), (2, 16), (16, 2), (1, 32), (64, 1), (16, 4), (5, 7), (3, 11), (20, 1), (8, 1)]


class Writer:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines = []
        self.indent = 0
        self.names = 0
        self.barriers = self.r.random() < 0.6
        self.helpers = []
        self.seed = seed

    def put(self, text):
        self.lines.append("\t" * self.indent + text)

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def constant(self):
        return self.r.choice(["0u", "1u", "2u", "3u", "7u", "31u", "255u", "0x80000000u", "0xffffffffu",
                              f"{self.r.getrandbits(32)}u"])

    # ---- Expressions. @scope lists what may be read. ----

    def leaf(self, scope):
        r = self.r
        pick = r.random()
        if pick < 0.2:
            return self.constant()
        if pick < 0.3 or not scope.values:
            return r.choice([f"UNIFORM({r.randrange(16)}u)", "GROUP"])
        if scope.arrays and pick < 0.45:
            return f"{r.choice(scope.arrays)}[{self.uint(scope, 1)} % {ARRAY}u]"
        if scope.mine and pick < 0.5:
            return "MINE"
        return r.choice(scope.values)

    def steps(self, scope, depth=2):
        """A number that grows from lane to lane, or nearly so: what shaders make indices of."""
        r = self.r
        if depth == 0:
            same = ["GROUP", f"UNIFORM({r.randrange(8)}u)", f"{r.randrange(40)}u"]
            return r.choice(same + ["I", "LID", "LX", "LY"] if scope.lanes else same)
        x = self.steps(scope, depth - 1)
        power = r.choice([1, 2, 4, 8, 16, 32, 64])
        return r.choice([
            f"({x} + {self.steps(scope, depth - 1)})", f"({x} - {self.steps(scope, depth - 1)})", f"({x} * {r.randrange(9)}u)",
            f"({x} << {r.randrange(6)}u)", f"({x} >> {r.randrange(6)}u)", f"({x} / {power}u)", f"({x} % {power}u)",
            f"({x} & {power - 1}u)", f"({x} & {2 ** 32 - power}u)", f"({x} / {r.randrange(1, 12)}u)",
            f"U32(I32({x}) / {power})", f"U32(I32({x}) >> {r.randrange(6)})", f"U32(U64({x}) * 3ul >> {r.randrange(8)})",
            f"U32(I64(I32({x})) >> {r.randrange(8)})", f"({x} * {self.steps(scope, 0)})", f"({x} ^ {power - 1}u)",
            f"({x} | {power}u)",
        ])

    def uint(self, scope, depth=2):
        r = self.r
        if depth == 0:
            return self.leaf(scope)
        x = self.uint(scope, depth - 1)
        y = self.uint(scope, depth - 1)
        kind = r.randrange(19)
        if kind >= 17:
            return f"A({self.steps(scope, r.randrange(1, 4))} % {WORDS}u)"
        if kind == 16:
            return self.steps(scope, r.randrange(1, 4))
        if kind < 6:
            return f"({x} {r.choice('+-*&|^')} {y})"
        if kind == 6:
            return f"({x} << ({y} & 31u))"
        if kind == 7:
            return f"({x} >> ({y} & 31u))"
        if kind == 8:
            return f"({x} {r.choice('/%')} (({y} & 63u) + 1u))"
        if kind == 9:
            return f"({self.condition(scope)} ? {x} : {y})"
        if kind == 10:
            return f"U32(I32({x}) >> ({y} & 31u))"
        if kind == 11:
            return f"U32(I32({x}) {r.choice('/')} (I32({y} & 127u) + 1))"
        if kind == 12:
            return f"U32((U64({x}) * U64({y})) >> {r.randrange(64)})"
        if kind == 13:
            t = r.choice(["U16", "U8", "I16", "I8"])
            return f"U32({t}({t}({x}) {r.choice('+-*^')} {t}({y})))"
        if kind == 14 and self.helpers and scope.calls:
            return f"{r.choice(self.helpers)}({x}, {y})"
        return self.leaf(scope)

    def condition(self, scope, depth=1):
        r = self.r
        x, y = self.uint(scope, depth), self.leaf(scope)
        kind = r.randrange(6)
        if kind == 0:
            return f"({x} & {r.choice([1, 2, 3, 4, 6, 7, 12, 15])}u) {r.choice(['==', '!='])} 0u"
        if kind == 1:
            return f"I32({x}) {r.choice(['<', '<=', '>', '>='])} I32({y})"
        if kind == 2:
            return f"({x} & 1u) != 0u {r.choice(['&&', '||'])} {self.leaf(scope)} < {y}"
        return f"({x} & 31u) {r.choice(['<', '>', '==', '!=', '>='])} {r.randrange(32)}u"


class Scope:
    """What stands in reach: @values to read, @targets to assign. @lanes: may differ between lanes."""

    def __init__(self, values=(), targets=(), arrays=(), mine=False, calls=True, lanes=True):
        self.values = list(values)
        self.targets = list(targets)
        self.arrays = list(arrays)
        self.mine = mine
        self.calls = calls
        self.lanes = lanes

    def copy(self):
        return Scope(self.values, self.targets, self.arrays, self.mine, self.calls, self.lanes)


class Body:
    """Statements. @same: control flow here is the same for the whole work-group."""

    def __init__(self, w, may_return, barriers):
        self.w = w
        self.may_return = may_return
        self.barriers = barriers
        self.budget = w.r.randrange(12, 40)

    def block(self, scope, uniform, same, loop, depth):
        w = self.w
        scope, uniform = scope.copy(), uniform.copy()
        w.put("{")
        w.indent += 1
        for _ in range(w.r.randrange(1, 5)):
            self.statement(scope, uniform, same, loop, depth)
        w.indent -= 1
        w.put("}")

    def choose(self, scope, uniform, same):
        """Whether what comes is decided by uniform values, and the scope to write the decision with."""
        decided = self.w.r.random() < (0.5 if same else 0.15)
        return decided, uniform if decided else scope

    def leave(self, same, loop, decided):
        """May a break or continue stand in a branch that is @decided uniformly? Barriers want all to stay together."""
        return loop and (not self.barriers or not loop["same"] or (same and decided))

    def statement(self, scope, uniform, same, loop, depth):
        w, r = self.w, self.w.r
        self.budget -= 1
        kind = r.randrange(20)
        if self.budget < 0 or depth > 4:
            kind = r.randrange(6)
        if kind < 3:
            w.put(f"{r.choice(scope.targets)} {r.choice(['=', '+=', '^=', '*=', '-='])} {w.uint(scope)};")
        elif kind == 3:
            n = w.name("v")
            w.put(f"uint {n} = {w.uint(scope)};")
            scope.values.append(n)
            scope.targets.append(n)
        elif kind == 4 and scope.arrays:
            w.put(f"{r.choice(scope.arrays)}[{w.uint(scope, 1)} % {ARRAY}u] = {w.uint(scope)};")
        elif kind == 5:
            if scope.mine and r.random() < 0.5:
                w.put(f"MINE = {w.uint(scope)};")
            elif same and uniform.targets:
                w.put(f"{r.choice(uniform.targets)} {r.choice(['=', '+=', '^='])} {w.uint(uniform)};")
            else:
                w.put(f"{r.choice(scope.targets)} += {w.leaf(scope)};")
        elif kind in (6, 7) and same and self.barriers:
            w.put("BARRIER;")
        elif kind == 8 and same:
            n = w.name("u")
            w.put(f"uint {n} = {w.uint(uniform)};")
            for s in (scope, uniform):
                s.values.append(n)
            uniform.targets.append(n)
        elif kind in (9, 10, 11):
            decided, by = self.choose(scope, uniform, same)
            w.put(f"if ({w.condition(by)})")
            self.block(scope, uniform, same and decided, loop, depth + 1)
            if r.random() < 0.5:
                w.put("else")
                self.block(scope, uniform, same and decided, loop, depth + 1)
        elif kind in (12, 13, 14):
            self.loop(scope, uniform, same, depth)
        elif kind in (15, 16):
            self.switch(scope, uniform, same, loop, depth)
        elif kind == 17 and loop:
            decided, by = self.choose(scope, uniform, same)
            if self.leave(same, loop, decided):
                w.put(f"if ({w.condition(by)})")
                w.put(f"\t{r.choice(loop['exits'])};")
            else:
                w.put(f"{r.choice(scope.targets)} += 1u;")
        elif kind == 18 and self.may_return:
            w.put(f"if ({w.condition(scope)})")
            w.put(f"\treturn {w.uint(scope)};")
        else:
            w.put(f"{r.choice(scope.targets)} += {w.leaf(scope)};")

    def loop(self, scope, uniform, same, depth):
        w, r = self.w, self.w.r
        decided, by = self.choose(scope, uniform, same)
        k = w.name("k")
        inner, inner_uniform = scope.copy(), uniform.copy()
        here = {"same": same and decided, "exits": ["break", "continue"]}
        kind = r.randrange(4)
        if kind < 2:
            trip = f"{r.randrange(1, 6)}u" if r.random() < 0.4 else f"({w.uint(by, 1)} & {r.choice([3, 7])}u)"
            # The bound is taken once, so that the loop ends.
            n = w.name("n")
            w.put(f"uint {n} = {trip};")
            w.put(f"for (uint {k} = 0u; {k} < {n}; {k}++)")
            inner.values.append(k)
            if here["same"]:
                inner_uniform.values.append(k)
            self.block(inner, inner_uniform, here["same"], here, depth + 1)
            return
        w.put(f"uint {k} = 0u;")
        condition = w.condition(by)
        w.put(f"while ({k} < {r.randrange(2, 9)}u && ({condition}))" if kind == 2 else "do")
        inner.values.append(k)
        if here["same"]:
            inner_uniform.values.append(k)
        w.put("{")
        w.indent += 1
        w.put(f"{k}++;")
        self.block(inner, inner_uniform, here["same"], here, depth + 1)
        w.indent -= 1
        w.put("}" if kind == 2 else f"}} while ({k} < {r.randrange(2, 9)}u && ({condition}));")
        scope.values.append(k)

    def switch(self, scope, uniform, same, loop, depth):
        w, r = self.w, self.w.r
        decided, by = self.choose(scope, uniform, same)
        mask = r.choice([3, 7])
        w.put(f"switch ({w.uint(by, 1)} & {mask}u) {{")
        labels = list(range(mask + 1))
        r.shuffle(labels)
        labels = labels[:r.randrange(1, mask + 2)]
        default = r.randrange(len(labels) + 1) if r.random() < 0.8 else -1
        exits = ["break"] + (["continue"] if loop and "continue" in loop["exits"] and
                             (not self.barriers or not loop["same"]) else [])
        here = {"same": same and decided, "exits": exits}
        for n, label in enumerate(labels + [None]):
            if n == default:
                w.put("default:")
            elif label is None:
                break
            if label is not None:
                w.put(f"case {label}u:")
                if r.random() < 0.2 and n + 1 < len(labels):
                    continue
            w.indent += 1
            self.block(scope, uniform, here["same"], here, depth + 1)
            if r.random() < 0.75 or n + 1 >= len(labels):
                w.put("break;")
            w.indent -= 1
        w.put("}")


def helper(w):
    n = w.name(f"helper_{w.seed}_")
    w.put(f"uint {n}(uint x, uint y)")
    w.put("{")
    w.indent += 1
    w.put("uint r = x ^ y;")
    body = Body(w, True, False)
    body.budget = 8
    scope = Scope(["x", "y", "r"], ["r"])
    for _ in range(w.r.randrange(1, 4)):
        body.statement(scope, Scope(), False, None, 2)
    w.put("return r + x;")
    w.indent -= 1
    w.put("}")
    w.put("")
    w.helpers.append(n)


def leaving(w, scope, uniform):
    """A branch that holds barriers, with code behind it; invocations return, each on its own, once no barrier can follow."""
    together, apart = Body(w, False, True), Body(w, True, False)
    together.budget = apart.budget = 14
    inner, inner_uniform = scope.copy(), uniform.copy()
    w.put(f"if ({w.condition(uniform)})")
    w.put("{")
    w.indent += 1
    for body in (together, apart):
        w.put("BARRIER;")
        for _ in range(w.r.randrange(1, 5)):
            body.statement(inner, inner_uniform, body is together, None, 1)
    w.put(f"if ({w.condition(scope)})")
    w.put(f"\treturn {w.uint(scope)};")
    w.indent -= 1
    w.put("}")
    for _ in range(w.r.randrange(1, 4)):
        apart.statement(scope, uniform, False, None, 1)


def main():
    w = Writer(int(sys.argv[1]))
    w.put("/* SPDX-License-Identifier: MIT */")
    w.put(f"/* Written by random_shader.py {sys.argv[1]}. */")
    x, y = w.r.choice(SIZES)
    w.put(f"#define LOCAL_X {x}")
    w.put(f"#define LOCAL_Y {y}")
    w.put("")
    for _ in range(w.r.randrange(3)):
        helper(w)
    w.put("uint compute(uint i, uint a, uint b)")
    w.put("{")
    w.indent += 1
    w.put("uint r = a + i;")
    w.put("uint q = b;")
    w.put("uint w = UNIFORM(3u);")
    w.put("MINE = a ^ b;")
    scope = Scope(["i", "a", "b", "r", "q", "w"], ["r", "q"], mine=True)
    uniform = Scope(["w"], ["w"], calls=False, lanes=False)
    for _ in range(w.r.randrange(3)):
        n = w.name("t")
        w.put(f"uint {n}[{ARRAY}];")
        w.put(f"for (uint k = 0u; k < {ARRAY}u; k++)")
        w.put(f"\t{n}[k] = {w.uint(Scope(['i', 'a', 'b', 'k'], [], calls=False))};")
        scope.arrays.append(n)
    body = Body(w, not w.barriers, w.barriers)
    for _ in range(w.r.randrange(6, 14)):
        body.statement(scope, uniform, True, None, 0)
    if w.barriers and w.r.random() < 0.6:
        leaving(w, scope, uniform)
    for n in scope.arrays:
        w.put(f"for (uint k = 0u; k < {ARRAY}u; k++)")
        w.put(f"\tr = r * 3u + {n}[k];")
    w.put("return r ^ q * 5u ^ w ^ MINE;")
    w.indent -= 1
    w.put("}")
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write("\n".join(w.lines) + "\n")


main()
