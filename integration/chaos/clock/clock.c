// Gives a process another clock: preloaded, it adds to the time of day the seconds
// that the file $FLOX_CLOCK says, eight bytes of a native integer, whenever they
// change. Time that is only counted (CLOCK_MONOTONIC) stays what it is. It calls
// the kernel and allocates nothing, so that it goes with any allocator.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *offset;

__attribute__((constructor)) static void begin(void) {
	const char *file = getenv("FLOX_CLOCK");
	int fd = file ? open(file, O_RDONLY) : -1;
	if (fd < 0) return;
	void *at = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED) offset = at;
	close(fd);
}

int clock_gettime(clockid_t id, struct timespec *t) {
	int r = syscall(SYS_clock_gettime, id, t);
	if (r == 0 && offset && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += *offset;
	return r;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
	struct timespec now;
	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
	t->tv_sec = now.tv_sec;
	t->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *t) {
	struct timespec now;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
	if (t) *t = now.tv_sec;
	return now.tv_sec;
}
