# SPDX-License-Identifier: MIT
# Hostile processes by the thousand, with canaries in nearly all of the board's memory.
load_driver || exit 1
for seed in 1 2 3; do
	say "canaries, seed $seed"
	tap "seed $seed" test-driver-canary 2000 400 $seed
done
unload_driver
