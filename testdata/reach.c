/* reach does one thing N times with a path of the guest: reach WHAT N PATH. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[64 << 10];

/* open_it opens the path and closes it. */
static int open_it(const char *path)
{
	int fd = open(path, O_RDWR);

	return fd < 0 ? -1 : close(fd);
}

/* read_with reads a file to its end. */
static int read_with(const char *path, int flags)
{
	int fd = open(path, flags);
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0)
		n = read(fd, buffer, sizeof buffer);
	return n < 0 ? -1 : close(fd);
}

/* read_it reads what is for reading only. */
static int read_it(const char *path) { return read_with(path, O_RDONLY); }

/* call runs a command and reads its answer: it takes what is opened for writing as well. */
static int call(const char *path) { return read_with(path, O_RDWR); }

/* exchange sends a byte and waits for one. */
static int exchange(int fd)
{
	return write(fd, "x", 1) == 1 && read(fd, buffer, 1) == 1 ? 0 : -1;
}

/* ask connects, exchanges a byte, and closes. */
static int ask(const char *path)
{
	int fd = open(path, O_RDWR);

	return fd < 0 || exchange(fd) < 0 ? -1 : close(fd);
}

static int connection;

/* talk exchanges a byte on the connection. */
static int talk(const char *path) { return exchange(connection); }

/* wait_for asks for the connection until it has something to read. */
static int wait_for(const char *path)
{
	struct pollfd ready = {.fd = connection, .events = POLLIN};

	return poll(&ready, 1, -1) == 1 ? 0 : -1;
}

/* put writes a kilobyte over what a file held. */
static int put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	return fd < 0 || write(fd, buffer, 1024) != 1024 ? -1 : close(fd);
}

/* save puts a new file in the place of the old one. */
static int save(const char *path)
{
	char fresh[256];

	snprintf(fresh, sizeof fresh, "%s.new", path);
	return put(fresh) < 0 ? -1 : rename(fresh, path);
}

static const struct {
	const char *name;
	int (*once)(const char *path);
	const char *sent; /* beforehand, on a connection that stays open */
} what[] = {
	{"open", open_it}, {"read", read_it}, {"call", call}, {"ask", ask},
	{"talk", talk, ""}, {"wait", wait_for, "x"}, {"put", put}, {"save", save},
};

static int fail(const char *why)
{
	printf("%s: %s\n", why, strerror(errno));
	return 3;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 4 && i < sizeof what / sizeof *what; i++) {
		if (strcmp(what[i].name, argv[1]))
			continue;
		if (what[i].sent) {
			connection = open(argv[3], O_RDWR);
			if (connection < 0 || write(connection, what[i].sent, strlen(what[i].sent)) < 0)
				return fail(argv[3]);
		}
		for (long n = atol(argv[2]); n > 0; n--)
			if (what[i].once(argv[3]) < 0)
				return fail(argv[1]);
		puts("OK");
		return 0;
	}
	puts("usage: reach open|read|call|ask|talk|wait|put|save N PATH");
	return 3;
}
