# SPDX-License-Identifier: MIT
# Models write on the board what the float64 reference writes, and their work reaches the board without system calls.
load_driver || exit 0
check "hearth-smi lists the board" hearth-smi

# write_both MODEL TOKENS PROMPT: the reference and the board, into files.
write_both() {
	ref-llama "$1" "$3" "$2" >/tmp/expected &&
		HEARTH_STATISTICS=1 hearth-run --device 0 -m "$1" -n "$2" -p "$3" >/tmp/text 2>/tmp/report &&
		cmp /tmp/text /tmp/expected && return 0
	cat /tmp/report /tmp/text /tmp/expected
	return 1
}

# The project's own model writes in each of its languages. What is computed does not depend on the kernel: all other
# models write on the newest only.
model=
for file in /test/models/*.gguf; do
	[ -r "$file" ] || continue
	name=${file##*/}
	prompts="Once upon a time"
	case $(uname -r):$name in
	6.*:ember.gguf) ;;
	*:ember.gguf) prompts="Once upon a time|Il était une fois|Era uma vez|एक समय की बात है" ;;
	6.*) continue ;;
	esac
	if [ -z "$model" ] || [ "$name" = ember.gguf ]; then
		model=$file
	fi
	old_ifs=$IFS
	IFS='|'
	for prompt in $prompts; do
		IFS=$old_ifs
		say "writing with $name: $prompt …"
		check "$name writes the reference's text on the board: $prompt …" \
			write_both "$file" "$MODEL_TOKENS" "$prompt"
	done
	IFS=$old_ifs
done
if [ -z "$model" ]; then
	skip "models write on the board" "no model here that this kernel is tested with"
	unload_driver
	exit 0
fi

# The driver's own counters: "queue 0: N submissions, N packets, N doorbells, N system calls to submit, N sleeps".
say "counting"
check "hearth-run writes with its counters shown" write_both "$model" "$MODEL_TOKENS" "Once upon a time"
counts=$(sed -n 's/.*queue 0: //p' /tmp/report | head -n 1 | tr -cd '0-9 ')
set -- $counts
check "work was submitted: ${1:-?} times" test "${1:-0}" -ge 8
check "one doorbell a submission: ${3:-?} for ${1:-?}" test "${3:-0}" -eq "${1:-1}"
check "no system call to submit" test "${4:-1}" -eq 0
check "hearth-run tells its user" grep -q "submissions through the user queue" /tmp/report

# What the kernel saw: but for waiting, no more calls for 24 tokens than for 8. 0x6448 is QUEUE_WAIT.
for n in 8 24; do
	strace -f -X raw -e trace=ioctl -o /tmp/trace hearth-run -q --device 0 -m "$model" -n $n >/dev/null
	grep ioctl /tmp/trace | grep -vc '0xc0..6448' >/tmp/count.$n
done
check "16 more tokens take no more ioctls, waits aside: $(cat /tmp/count.8), $(cat /tmp/count.24)" \
	cmp /tmp/count.8 /tmp/count.24
strace -f -c hearth-run -q --device 0 -m "$model" -n 24 2>&1 >/dev/null | head -n 12
unload_driver
