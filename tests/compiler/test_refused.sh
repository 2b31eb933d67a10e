#!/bin/sh
# SPDX-License-Identifier: MIT
# test_refused.sh HEARTH-CC GLSLANG FOLDER: shaders that ask for what the compiler does not have are refused with exit status 4
# and a message that names it. What a message must hold stands in the shader's line "REFUSED:".
cc=$1 glslang=$2 folder=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0

for shader in "$folder"/*.comp; do
	name=$(basename "$shader" .comp)
	pattern=$(sed -n 's,^// REFUSED: ,,p' "$shader")
	count=$((count + 1))
	if ! "$glslang" --quiet -V --target-env vulkan1.3 -o "$work/spv" "$shader" >"$work/out" 2>&1; then
		failed=$((failed + 1))
		echo "not ok $count - $name"
		sed 's/^/#   /' "$work/out"
		continue
	fi
	"$cc" --target avx2 "$work/spv" >"$work/out" 2>&1
	status=$?
	if [ $status -eq 4 ] && [ -n "$pattern" ] && grep -q -e "$pattern" "$work/out"; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
		echo "# status $status, expected 4; expected \"$pattern\" in:"
		sed 's/^/#   /' "$work/out"
	fi
done

echo "1..$count"
[ "$failed" -eq 0 ]
