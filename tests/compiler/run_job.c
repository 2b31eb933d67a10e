// SPDX-License-Identifier: MIT
/* run_job FILE: runs the dispatch in FILE (see job.h), for instruction sets that an emulator provides. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job.h"

int main(int argc, char **argv)
{
	struct stat st;
	int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;

	if (fd < 0 || fstat(fd, &st)) {
		perror("run_job");
		return 1;
	}

	void *block = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (block == MAP_FAILED) {
		perror("run_job: mmap");
		return 1;
	}
	return job_run(block);
}
