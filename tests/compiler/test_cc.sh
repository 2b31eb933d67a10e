#!/bin/sh
# SPDX-License-Identifier: MIT
# test_cc.sh HEARTH-CC SPEC.SPV FOLDER: the command's options, messages and exit statuses, as TAP.
cc=$1
spv=$2
shaders=$(dirname "$spv")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0

# check STATUS PATTERN NAME ARGUMENT…: runs hearth-cc, expects the exit status and, if there is a pattern, a line of
# output.
check()
{
	want=$1 pattern=$2 name=$3
	shift 3
	"$cc" "$@" >"$work/out" 2>&1
	got=$?
	count=$((count + 1))
	if [ "$got" -eq "$want" ] && { [ -z "$pattern" ] || grep -q -e "$pattern" "$work/out"; }; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
		echo "# status $got, expected $want; no line like \"$pattern\" in:"
		sed 's/^/#   /' "$work/out" | head -n 20
	fi
}

check 0 'Usage: hearth-cc' 'help' --help
check 0 'hearth-cc [0-9]' 'version' --version
check 0 'loop region . 3 parts' 'sums that need more registers than there are, in parts' -t avx2 --dump=region "$shaders/partition.spv"
check 0 'in the place of' 'values share a place across barriers' -t avx2 --dump=region "$shaders/share.spv"
for target in avx2 avx512 riscv64; do
	check 0 'image  *[1-9][0-9]* bytes' "compiles for $target" --target $target --stats -o "$work/$target" "$spv"
	count=$((count + 1))
	if [ -s "$work/$target" ]; then
		echo "ok $count - the image of $target is there"
	else
		failed=$((failed + 1))
		echo "not ok $count - the image of $target is there"
	fi
done
check 0 'subgroups of 32' 'vector width' --target riscv64 --vlen 1024 --stats "$spv"
check 2 'power of two from 128' 'vector width that does not exist' --target riscv64 --vlen 100 "$spv"
check 0 'subgroups of 32' 'subgroup size' --target avx2 --subgroup-size 32 --stats "$spv"
check 2 'expected host, avx2' 'target that does not exist' --target z80 "$spv"
check 0 '; ---- asm' 'assembly' --target avx2 --dump=asm "$spv"
for pass in prepare module table structure shape partition region share matrix adjacent llvm llvm-opt asm; do
	check 0 "; ---- $pass ----" "--dump=$pass" --target avx2 --dump=$pass "$spv"
	check 0 "; ---- $pass ----" "all has $pass" --target avx2 --dump=all "$spv"
done
for target in avx2 avx512 riscv64; do
	check 0 '^  scalar  *[1-9][0-9]*  *[0-9.]* %' "instructions of $target are counted" --target $target --stats "$spv"
done
check 0 '^  prepare  *[0-9.]* ms' 'phases are timed' --target avx2 --stats "$spv"
check 0 '; ---- prepare' 'all passes' --target avx2 --dump=all "$spv"
check 2 'expected prepare' 'pass that does not exist' --dump=magic "$spv"
check 2 'no entry point' 'entry point that does not exist' --target avx2 --entry other "$spv"
check 0 'work-group  *48 x 2 x 1' 'specialization' --target avx2 --spec 0=48 --stats "$spv"
check 0 '' 'float, boolean and signed constants' --target avx2 --spec 4=-7 --spec 2=0.25 --spec 3=true "$spv"
check 2 'no constant 999' 'constant that does not exist' --target avx2 --spec 999=1 "$spv"
check 2 'expected true or false' 'boolean that is none' --target avx2 --spec 3=maybe "$spv"
check 2 'expected a whole number of 32 bits' 'number that does not fit' --target avx2 --spec 1=4294967296 "$spv"
check 2 'expected ID=VALUE' 'malformed --spec' --spec 3 "$spv"
check 1 'No such file' 'file that does not exist' "$work/none.spv"
check 2 'no FILE' 'no file'
printf 'not SPIR-V, really' >"$work/text"
check 1 'whole words' 'file of a fraction of words' "$work/text"
printf 'not SPIR-V at all...' >"$work/text"
check 3 'expected a SPIR-V module' 'file that is no module' --target avx2 "$work/text"
head -c 200 "$spv" >"$work/short.spv"
check 3 'not valid\|invalid' 'module that ends early' --target avx2 "$work/short.spv"
check 1 'hearth-cc: ' 'image that cannot be written' --target avx2 -o "$work/no/such/folder" "$spv"

echo "1..$count"
[ "$failed" -eq 0 ]
