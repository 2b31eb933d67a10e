# SPDX-License-Identifier: MIT
# The driver's tests on one board that behaves.
for n in 1 2 3 4; do
	load_driver || exit 1
	unload_driver
done

# What is left of the driver when it is unloaded. The kernel's own lists of free pages make some 20 MiB of difference;
# the tests take and give hundreds.
free_kib() {
	[ ! -e /proc/sys/vm/drop_caches ] || echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemFree:/ { print $2 }' /proc/meminfo
}
mappings() { grep -c ioremap /proc/vmallocinfo; }
free_before=$(free_kib)
mappings_before=$(mappings)

load_driver || exit 1
load_peers
for program in ioctls seen memory userptr import vm queue many fence fault process random canary reset telemetry unplug; do
	say "test-driver-$program"
	tap $program test-driver-$program
done

# Each of the two takes some seconds, and one of them is enough for a kernel.
if [ "$GUEST_IOMMU" = 0 ]; then
	say "test-driver-pci"
	tap pci test-driver-pci 1 awake
else
	say "test-driver-stress"
	tap queues test-driver-stress queues 200
	tap removals test-driver-stress removals 4
fi

say "test-driver-smi"
tap smi test-driver-smi hearth-smi 1
# Looks at the board by the driver would be counted.
echo 0 >/sys/module/hearth/parameters/heartbeat_ms
usleep 2500000
say "test-driver-submit"
tap submit test-driver-submit

# system_calls BATCHES: how many system calls a program makes that submits so many and sleeps for none.
system_calls() {
	strace -f -c -o /tmp/strace test-driver-submit "$1" >/tmp/submit 2>&1 ||
		{ cat /tmp/submit >&2; return 1; }
	awk '$NF == "total" { print $4 }' /tmp/strace
}
few=$(system_calls 10)
many=$(system_calls 1000)
say "strace -f -c: $few system calls for 10 batches, $many for 1000"
check "a batch takes no system call" test "$few" -gt 0 -a "$few" -eq "$many"
unload_driver

free_after=$(free_kib)
say "free memory before less after: $((free_before - free_after)) KiB"
check "no memory is lost" test $((free_before - free_after)) -lt 65536
check "no mapping of registers is left" test "$(mappings)" = "$mappings_before"
check "no interrupt and no region is left" sh -c '! grep hearth /proc/interrupts /proc/iomem'
