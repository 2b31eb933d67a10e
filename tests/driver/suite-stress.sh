# SPDX-License-Identifier: MIT
# $LOADS loads of the module, $QUEUES queues, $RESETS resets under load and $REMOVALS removals under load, one after
# the other on one board. Nothing may be left of all of them.
used() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^SUnreclaim:|^Percpu:|^KernelStack:/ { sum += $2 } END { print sum }' /proc/meminfo
}
# not_leaked NAME: what kmemleak finds, where the kernel has it.
not_leaked() {
	[ -w /sys/kernel/debug/kmemleak ] || { skip "$1: kmemleak" "this kernel has none"; return; }
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	check "$1: kmemleak finds nothing" sh -c '! grep . /sys/kernel/debug/kmemleak'
}

load_driver || exit 1
unload_driver
before=$(used)
say "$LOADS loads of the module"
n=0
while [ $n -lt "$LOADS" ]; do
	insmod /hearth/hearth.ko || break
	i=0
	until [ -c /dev/accel/accel0 ] || [ $i = 600 ]; do
		usleep 20000
		i=$((i + 1))
	done
	[ -c /dev/accel/accel0 ] || break
	rmmod hearth || break
	n=$((n + 1))
	[ $((n % 20)) -ne 0 ] || say "$n loads, $(used) KiB"
done
check "$n of $LOADS loads" test $n = "$LOADS"
after=$(used)
check "the kernel has $((after - before)) KiB more than before" test $((after - before)) -lt 6144

load_driver || exit 1
load_peers
say "$QUEUES queues"
tap queues test-driver-stress queues "$QUEUES"
say "$RESETS resets under load"
tap resets test-driver-reset "$RESETS"
say "$REMOVALS removals under load"
tap removals test-driver-stress removals "$REMOVALS"
not_leaked "before unloading"
unload_driver
not_leaked "after unloading"
after=$(used)
check "the kernel has $((after - before)) KiB more than at first" test $((after - before)) -lt 12288
check "no interrupt and no region is left" sh -c '! grep hearth /proc/interrupts /proc/iomem'
