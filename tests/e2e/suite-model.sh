# SPDX-License-Identifier: MIT
# A model writes on the board what the float64 reference writes, and its work reaches the board without system calls.
load_driver || exit 0
check "hearth-smi lists the board" hearth-smi

say "writing with ember"
check "hearth-run writes on the board" sh -c \
	"HEARTH_STATISTICS=1 hearth-run --device 0 -m /test/ember.gguf -n $MODEL_TOKENS >/tmp/text 2>/tmp/report"
cat /tmp/report
check "the text is the reference's" cmp /tmp/text /test/expected

# The driver's own counters: "queue 0: N submissions, N packets, N doorbells, N system calls to submit, N sleeps".
counts=$(sed -n 's/.*queue 0: //p' /tmp/report | tr -cd '0-9 ')
set -- $counts
check "work was submitted" test "${1:-0}" -gt 0
check "one doorbell a submission at most: ${3:-?} for ${1:-?}" test "${3:-1}" -le "${1:-0}"
check "no system call to submit" test "${4:-1}" -eq 0

# What the kernel saw: but for waiting, no more calls for 24 tokens than for 8. 0x6448 is QUEUE_WAIT.
for n in 8 24; do
	strace -f -X raw -e trace=ioctl -o /tmp/trace hearth-run -q --device 0 -m /test/ember.gguf -n $n >/dev/null
	grep ioctl /tmp/trace | grep -vc '0xc0..6448' >/tmp/count.$n
done
check "16 more tokens take no more ioctls, waits aside: $(cat /tmp/count.8), $(cat /tmp/count.24)" \
	cmp /tmp/count.8 /tmp/count.24
strace -f -c hearth-run -q --device 0 -m /test/ember.gguf -n 24 2>&1 >/dev/null | head -n 12
unload_driver
