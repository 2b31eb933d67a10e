# SPDX-License-Identifier: MIT
# One board that goes wrong after a few doorbells, as the command line of the kernel says (hearth_broken=HOW).
how=$(sed -n 's/.*hearth_broken=\([a-z]*\).*/\1/p' /proc/cmdline)
for name in $(cat /run/modules/needs); do
	insmod /run/modules/"$name".ko
done
insmod /hearth/hearth.ko || exit 1
/hearth/tests/test_broken "$how"
