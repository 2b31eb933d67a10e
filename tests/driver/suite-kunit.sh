# SPDX-License-Identifier: MIT
# The module's tests of what needs no board, run in the kernel by KUnit when their module is loaded.
while read -r module; do
	check "$module.ko loads" insmod "/run/modules/$module.ko"
done </run/modules/tests
dmesg -c >/dev/null
check "hearth_test.ko loads" insmod /hearth/hearth_test.ko
dmesg | sed 's/^\[ *[0-9.]*\] //' >/tmp/kunit
for suite in hearth_pt hearth_quota; do
	# Its cases stand indented below its name, before its own result.
	tap $suite sed -n "/# Subtest: $suite\$/,/^# $suite:/s/^    \(ok\|not ok\|1[.][.]\|#\)/\1/p" /tmp/kunit
done
check "no suite failed" sh -c '! grep "^ *not ok" /tmp/kunit'
check "hearth_test.ko unloads" rmmod hearth_test
