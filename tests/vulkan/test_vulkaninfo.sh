#!/bin/sh
# SPDX-License-Identifier: MIT
# vulkaninfo is content with the driver, in both of its forms.
command -v vulkaninfo >/dev/null || { echo "1..0 # SKIP vulkaninfo is not installed"; exit 0; }
echo 1..3
out=$(mktemp)
trap 'rm -f "$out"' EXIT
if vulkaninfo >"$out" 2>&1; then echo "ok 1 - vulkaninfo ends well"; else
	sed 's/^/# /' "$out" | tail -20; echo "not ok 1 - vulkaninfo ends well"; fi
if grep -q 'deviceName *= Hearth CPU' "$out"; then echo "ok 2 - it lists the CPU device"; else
	echo "not ok 2 - it lists the CPU device"; fi
if vulkaninfo --summary >"$out" 2>&1 && ! grep -qi 'error.*VK_' "$out"; then
	echo "ok 3 - so does its summary"; else
	sed 's/^/# /' "$out" | tail -20; echo "not ok 3 - so does its summary"; fi
