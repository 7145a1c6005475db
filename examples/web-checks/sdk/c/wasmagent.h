/* wasmagent.h is for writing checks in C: the command line and the answer of a
 * monitoring plugin, thresholds, connections, facts, the operator's values and a
 * memory between runs.
 *
 *     #include "../../sdk/c/wasmagent.h"
 *
 *     static const wa_option options[] = {
 *         {'w', "warning", "RANGE", "WARNING outside of this range"},
 *         {0},
 *     };
 *
 *     int main(int argc, char **argv)
 *     {
 *         wa_plugin p = {"check_uptime", "1.0.0", "looks at the uptime", "[-w RANGE]", options};
 *         wa_limits limits = {0};
 *         wa_begin(&p, argc, argv);
 *         while (wa_next(&p) != 0)
 *             limits.warn = wa_range_argument(&p);
 *
 *         double seconds = wa_number(wa_member(wa_fact(&p, "uptime"), "uptime_seconds"));
 *         wa_perf(&p, "uptime", seconds, "s", &limits, NAN, NAN);
 *         wa_exit(&p, wa_judge(&limits, seconds), "up for %.0f seconds", seconds);
 *     }
 *
 * It is optional. A check is an ordinary program, and everything that the agent
 * gives to one is a file; this header spells the files' names, and bounds what is
 * read. It needs nothing but a C library for WASI, and is one file to copy into a
 * module. A check has one thread.
 *
 * Times are seconds, and a deadline is a time on the clock of wa_now. A function
 * that returns -1, NULL or false has set errno, unless it says something else.
 */
#ifndef WASMAGENT_H
#define WASMAGENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	WA_OPTIONS = 40,        /* the most options of a plugin */
	WA_PERF = 16 << 10,     /* the most bytes of performance data */
	WA_TEXT = 4 << 10,      /* the most bytes of the answer's text; the rest is left out */
	WA_DOCUMENT = 16 << 20, /* the most bytes of a document */
	WA_PATH = 512,          /* the most bytes of a path */
};

/* A wa_state is the state of an answer, and the exit status. */
typedef enum { WA_OK, WA_WARNING, WA_CRITICAL, WA_UNKNOWN } wa_state;

/* A wa_range is a threshold range: an alert is raised for a value outside of
 * start..end, or within it if inside is set.
 * https://www.monitoring-plugins.org/doc/guidelines.html#THRESHOLDFORMAT
 */
typedef struct {
	bool set; /* or no value raises an alert */
	double start, end; /* the open ends are -INFINITY and INFINITY */
	bool inside;
} wa_range;

/* wa_limits are the ranges that a value is compared with. */
typedef struct {
	wa_range warn, crit;
} wa_limits;

/* A wa_option is an option of the command line. The argument is what the help
 * calls it; NULL where the option takes none. A list of options ends with {0}.
 */
typedef struct {
	int letter; /* or a number above 255, for an option with a name only */
	const char *name, *argument, *help;
} wa_option;

/* A wa_plugin is a check as a program. */
typedef struct {
	const char *name;    /* such as "check_tcp"; the answer begins with "TCP OK: " */
	const char *version; /* for -V */
	const char *about;   /* for the help, which continues the name with it */
	const char *usage;   /* the command line without the name */
	const wa_option *options; /* beside -h, -V and -t, which every plugin has */
	wa_state late;       /* the state when the time is over; 0 is UNKNOWN */

	/* Of the run, for the plugin to read: */
	double timeout;      /* how long it may take, 9 unless -t says so */
	double deadline;     /* when that is over */
	const char *argument; /* of the option that wa_next returned */

	/* For the functions below: */
	int argc;
	char **argv;
	int option;          /* what wa_next returned */
	double began;
	char letters[3 * WA_OPTIONS + 10];
	struct option names[WA_OPTIONS + 4];
	char perf[WA_PERF];
} wa_plugin;

static inline double wa_now(void)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* ---- The answer ---- */

/* wa_print_label prints the name that begins the answer: "TCP" of "check_tcp". */
static inline void wa_print_label(const wa_plugin *p)
{
	const char *name = strncmp(p->name, "check_", 6) == 0 ? p->name + 6 : p->name;
	for (; *name != '\0'; name++)
		putchar(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
}

/* wa_exit prints the answer and ends the program. The text is one line: a line end
 * in it becomes a blank, and a bar, which would begin performance data, a broken bar.
 */
__attribute__((format(printf, 3, 4)))
_Noreturn static inline void wa_exit(const wa_plugin *p, wa_state state, const char *format, ...)
{
	static const char *const states[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	char text[WA_TEXT];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (state > WA_UNKNOWN)
		state = WA_UNKNOWN;
	wa_print_label(p);
	printf(" %s: ", states[state]);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '|')
			fputs("\u00a6", stdout);
		else
			putchar(*c == '\n' || *c == '\r' ? ' ' : *c);
	}
	printf("%s%s\n", p->perf[0] != '\0' ? "|" : "", p->perf);
	exit(fflush(stdout) == 0 ? (int)state : WA_UNKNOWN);
}

/* wa_print_number writes the shortest decimal that reads as the same number. */
static inline void wa_print_number(FILE *out, double value)
{
	char text[32];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	fputs(text, out);
}

static inline void wa_print_range(FILE *out, const wa_range *r)
{
	if (!r->set)
		return;
	fputs(r->inside ? "@" : "", out);
	if (isinf(r->start)) {
		fputs("~:", out);
	} else if (r->start != 0 || isinf(r->end)) {
		wa_print_number(out, r->start);
		fputc(':', out);
	}
	if (!isinf(r->end))
		wa_print_number(out, r->end);
}

/* wa_print_perf writes one item: 'label'=value[unit];[warn];[crit];[min];[max] */
static inline void wa_print_perf(FILE *out, const char *label, double value, const char *unit,
				 const wa_limits *limits, double min, double max)
{
	fputc('\'', out);
	for (; *label != '\0'; label++)
		fputs((char[]){*label == '\n' || *label == '\r' ? ' ' : *label, *label == '\'' ? '\'' : '\0', '\0'}, out);
	fputs("'=", out);
	if (isfinite(value)) {
		wa_print_number(out, value);
		fputs(unit, out);
	} else {
		fputc('U', out);
	}
	fputc(';', out);
	if (limits != NULL)
		wa_print_range(out, &limits->warn);
	fputc(';', out);
	if (limits != NULL)
		wa_print_range(out, &limits->crit);
	fputc(';', out);
	if (isfinite(min))
		wa_print_number(out, min);
	fputc(';', out);
	if (isfinite(max))
		wa_print_number(out, max);
}

/* wa_perf adds a value to the performance data of the answer. The unit may be "",
 * limits NULL, and the least and the greatest value NAN where there is none. A value
 * that is no finite number is shown as not known.
 */
static inline void wa_perf(wa_plugin *p, const char *label, double value, const char *unit,
			   const wa_limits *limits, double min, double max)
{
	size_t used = strlen(p->perf);
	char *item = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&item, &size);
	if (out != NULL) {
		wa_print_perf(out, label, value, unit, limits, min, max);
		fclose(out);
	}
	if (item == NULL || used + 1 + size >= sizeof p->perf) {
		p->perf[0] = '\0';
		wa_exit(p, WA_UNKNOWN, "more than %d bytes of performance data", WA_PERF);
	}
	while (item[size - 1] == ';')
		item[--size] = '\0';
	if (used > 0)
		p->perf[used++] = ' ';
	memcpy(p->perf + used, item, size + 1);
	free(item);
}

/* ---- Thresholds ---- */

/* wa_parse_number reads a decimal number and nothing else. */
static inline bool wa_parse_number(const char *text, double *value)
{
	char *end;
	if (*text == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0')
		return false;
	*value = strtod(text, &end);
	return *end == '\0' && isfinite(*value);
}

/* wa_parse_range reads a range: "10" is 0 to 10, "10:" is 10 and above, "~:10" is 10
 * and below, "10:20" is 10 to 20, and a leading "@" alerts inside of the range. It
 * sets no errno.
 */
static inline bool wa_parse_range(const char *text, wa_range *r)
{
	char low[64] = "";
	wa_range read = {.set = true, .end = INFINITY, .inside = *text == '@'};
	text += read.inside;
	const char *colon = strchr(text, ':');
	if (colon != NULL && (size_t)(colon - text) < sizeof low)
		memcpy(low, text, colon - text);
	else if (colon != NULL)
		return false;
	const char *high = colon != NULL ? colon + 1 : text;
	if (*low == '\0' && *high == '\0')
		return false;
	if (strcmp(low, "~") == 0)
		read.start = -INFINITY;
	else if (*low != '\0' && !wa_parse_number(low, &read.start))
		return false;
	if (*high != '\0' && !wa_parse_number(high, &read.end))
		return false;
	*r = read;
	return read.start <= read.end;
}

/* wa_alerts tells whether a value raises an alert. NAN never does. */
static inline bool wa_alerts(const wa_range *r, double value)
{
	return r->set && !isnan(value) && (value >= r->start && value <= r->end) == r->inside;
}

/* wa_judge is what a value means. NAN is UNKNOWN. */
static inline wa_state wa_judge(const wa_limits *limits, double value)
{
	if (isnan(value))
		return WA_UNKNOWN;
	return wa_alerts(&limits->crit, value) ? WA_CRITICAL : wa_alerts(&limits->warn, value) ? WA_WARNING : WA_OK;
}

/* ---- The command line ---- */

/* wa_mistake says what is wrong with the command line, and ends the program. */
__attribute__((format(printf, 2, 3)))
_Noreturn static inline void wa_mistake(const wa_plugin *p, const char *format, ...)
{
	va_list args;
	printf("%s: ", p->name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("; see %s --help\n", p->name);
	exit(WA_UNKNOWN);
}

static inline void wa_print_option(const wa_option *o)
{
	putchar(' ');
	if (o->letter < 256)
		printf("-%c, ", o->letter);
	printf("--%s%s%s\n    %s\n", o->name, o->argument != NULL ? "=" : "", o->argument != NULL ? o->argument : "", o->help);
}

_Noreturn static inline void wa_help(const wa_plugin *p)
{
	static const wa_option own[] = {
		{'t', "timeout", "SECONDS", "give up after this time (default: 9)"},
		{'V', "version", NULL, "print the version"},
		{'h', "help", NULL, "print this help"},
	};
	printf("%s %s\n\n%s %s.\n\nUsage: %s %s\n\n", p->name, p->version, p->name, p->about, p->name, p->usage);
	for (const wa_option *o = p->options; o->name != NULL; o++)
		wa_print_option(o);
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		wa_print_option(&own[i]);
	exit(WA_UNKNOWN);
}

/* wa_begin begins the run. */
static inline void wa_begin(wa_plugin *p, int argc, char **argv)
{
	static const struct option own[] = {
		{"timeout", required_argument, NULL, 't'}, {"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {0},
	};
	char *letter = p->letters + sprintf(p->letters, ":t:Vh");
	struct option *name = p->names;
	if (p->late == WA_OK)
		p->late = WA_UNKNOWN;
	p->argc = argc, p->argv = argv;
	p->began = wa_now(), p->timeout = 9, p->deadline = p->began + p->timeout;
	for (const wa_option *o = p->options; o->name != NULL; o++) {
		if (o - p->options >= WA_OPTIONS)
			wa_mistake(p, "it has more than %d options", WA_OPTIONS);
		*name++ = (struct option){o->name, o->argument != NULL ? required_argument : no_argument, NULL, o->letter};
		if (o->letter < 256)
			letter += sprintf(letter, "%c%s", o->letter, o->argument != NULL ? ":" : "");
	}
	memcpy(name, own, sizeof own);
	opterr = 0;
}

/* wa_option_text is how an option is written, such as "-w" or "--sni". */
static inline const char *wa_option_text(const wa_plugin *p, char text[static 64])
{
	snprintf(text, 64, "-%c", p->option);
	for (const struct option *o = p->names; p->option > 255 && o->name != NULL; o++)
		if (o->val == p->option)
			snprintf(text, 64, "--%s", o->name);
	return text;
}

/* wa_number_argument, and the functions like it, read the argument of the option
 * that wa_next returned. One that cannot be read ends the program.
 */
static inline double wa_number_argument(const wa_plugin *p)
{
	char name[64];
	double value;
	if (!wa_parse_number(p->argument, &value))
		wa_mistake(p, "%s: \"%.40s\" is no number", wa_option_text(p, name), p->argument);
	return value;
}

/* wa_whole_argument reads a whole number between two. */
static inline long wa_whole_argument(const wa_plugin *p, long least, long most)
{
	char name[64], *end;
	long value = strtol(p->argument, &end, 10);
	if (end == p->argument || *end != '\0' || value < least || value > most)
		wa_mistake(p, "%s: \"%.40s\" is no whole number from %ld to %ld", wa_option_text(p, name), p->argument, least, most);
	return value;
}

static inline wa_range wa_range_argument(const wa_plugin *p)
{
	char name[64];
	wa_range r;
	if (!wa_parse_range(p->argument, &r))
		wa_mistake(p, "%s: \"%.40s\" is no range; want one such as 10, 10:, ~:10, 10:20 or @10:20", wa_option_text(p, name), p->argument);
	return r;
}

/* wa_next returns the letter of the next option, and 0 when there is no more. It
 * deals with -h, -V and -t itself. A mistake ends the program; so does a word that is
 * no option.
 */
static inline int wa_next(wa_plugin *p)
{
	char name[64];
	for (;;) {
		p->option = getopt_long(p->argc, p->argv, p->letters, p->names, NULL);
		p->argument = optarg;
		switch (p->option) {
		case 'h':
			wa_help(p);
		case 'V':
			printf("%s %s\n", p->name, p->version);
			exit(WA_UNKNOWN);
		case ':':
			p->option = optopt;
			wa_mistake(p, "%s lacks its argument", wa_option_text(p, name));
		case '?':
			if (optopt > 0 && optopt < 256)
				wa_mistake(p, "there is no option -%c, or it takes no argument", optopt);
			wa_mistake(p, "there is no option %.60s", p->argv[optind - 1]);
		case -1:
			if (optind < p->argc)
				wa_mistake(p, "unexpected \"%.60s\"", p->argv[optind]);
			return 0;
		default:
			return p->option;
		case 't':
			p->timeout = wa_number_argument(p);
			if (!(p->timeout > 0 && p->timeout <= 1e9))
				wa_mistake(p, "-t: \"%.40s\" is no time in seconds; want a number above 0", p->argument);
			p->deadline = p->began + p->timeout;
		}
	}
}

/* ---- Errors ---- */

/* wa_granted tells whether an errno is not about a path that the check may not
 * open, which is an operator's matter.
 */
static inline bool wa_granted(int error) { return error != ENOENT && error != EACCES; }

/* wa_why says what an errno means where a path is a capability. */
static inline const char *wa_why(int error)
{
	switch (error) {
	case ENOENT:
		return "not granted, or not there; \"permissions\" in module.json and \"allow\" in config.toml must both match it";
	case EACCES:
		return "refused; wasmagent run --trace says why";
	case ECONNREFUSED:
		return "connection refused: nothing listens on that port";
	case EHOSTUNREACH:
		return "the host cannot be reached";
	case ECONNRESET:
		return "the server has broken the connection off";
	case ETIMEDOUT:
		return "no answer in time";
	case EPROTO:
		return "no TLS connection: the server does not speak TLS as it should, or its certificate is not trusted";
	}
	return strerror(error);
}

/* wa_fail answers what errno says of a path, and ends the program: the state for
 * being late if the time was over, UNKNOWN if the path is not granted, else the state
 * that is given.
 */
_Noreturn static inline void wa_fail(const wa_plugin *p, wa_state state, const char *path)
{
	int error = errno;
	if (error == ETIMEDOUT)
		wa_exit(p, p->late, "no answer within %.3g seconds", fmin(p->timeout, wa_now() - p->began));
	wa_exit(p, wa_granted(error) ? state : WA_UNKNOWN, "%s: %s", path, wa_why(error));
}

/* ---- Connections ---- */

/* wa_canonical writes a host in the one way that grants and paths know: a name in
 * small letters without a dot at its end, an IP address in its shortest form.
 */
static inline bool wa_canonical(const char *host, char *out, socklen_t size)
{
	unsigned char address[16];
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (inet_pton(AF_INET6, host, address) == 1) {
		bool v4 = memcmp(address, mapped, sizeof mapped) == 0;
		return inet_ntop(v4 ? AF_INET : AF_INET6, address + (v4 ? 12 : 0), out, size) != NULL;
	}
	size_t length = strlen(host);
	if (length > 0 && host[length - 1] == '.')
		length--;
	if (length == 0 || length >= size || memchr(host, '/', length) != NULL) {
		errno = EINVAL;
		return false;
	}
	for (size_t i = 0; i < length; i++)
		out[i] = host[i] >= 'A' && host[i] <= 'Z' ? host[i] - 'A' + 'a' : host[i];
	out[length] = '\0';
	return true;
}

/* wa_device writes the path that is a connection over a network: "tcp", "tls" (the
 * server's certificate is verified for the host) or "udp" (each write is one
 * datagram).
 */
static inline bool wa_device(char path[static WA_PATH], const char *network, const char *host, int port)
{
	char canonical[256];
	if (!wa_canonical(host, canonical, sizeof canonical))
		return false;
	snprintf(path, WA_PATH, "/dev/%s/%s/%d", network, canonical, port);
	return true;
}

/* wa_dial connects, and returns a descriptor, or -1. The agent looks the name up,
 * connects and speaks TLS. That holds the program up; the deadline does not end it, but
 * it does end, a little before the limit on the run. If the deadline is over then, it is
 * ETIMEDOUT.
 */
static inline int wa_dial(const char *network, const char *host, int port, double deadline)
{
	char path[WA_PATH];
	if (!wa_device(path, network, host, port))
		return -1;
	int fd = open(path, O_RDWR);
	if (fd >= 0 && wa_now() >= deadline) {
		close(fd);
		errno = ETIMEDOUT;
		return -1;
	}
	return fd;
}

/* wa_wait waits until something can be read. */
static inline bool wa_wait(int fd, double deadline)
{
	struct pollfd want = {.fd = fd, .events = POLLIN};
	for (double left; (left = deadline - wa_now()) > 0;) {
		int n = poll(&want, 1, left > 3600 ? 3600 * 1000 : (int)ceil(left * 1000));
		if (n != 0)
			return n > 0;
	}
	errno = ETIMEDOUT;
	return false;
}

/* wa_read reads what has arrived, and waits for that until the deadline. It returns
 * how many bytes that are, 0 at the end, or -1.
 */
static inline ssize_t wa_read(int fd, void *buffer, size_t size, double deadline)
{
	return wa_wait(fd, deadline) ? read(fd, buffer, size) : -1;
}

/* wa_write writes all bytes. It waits while the other side takes nothing. */
static inline bool wa_write(int fd, const void *data, size_t size)
{
	for (ssize_t n; size > 0; data = (const char *)data + n, size -= n)
		if ((n = write(fd, data, size)) <= 0)
			return false;
	return true;
}

/* wa_close_write tells the other side that there is no more, and leaves the
 * connection to be read.
 */
static inline bool wa_close_write(int fd) { return shutdown(fd, SHUT_WR) == 0; }

/* ---- Documents ---- */

/* wa_document reads a file whole, with a NUL after its end. The caller frees it. */
static inline char *wa_document(const char *path)
{
	size_t size = 0, room = 64 << 10;
	char *text = malloc(room);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 || text == NULL ? -1 : 1;
	while (n > 0 && (n = read(fd, text + size, room - size - 1)) > 0) {
		size += n;
		if (size < room - 1)
			continue;
		char *more = room < WA_DOCUMENT ? realloc(text, room *= 2) : NULL;
		if (more == NULL)
			n = -1, errno = EFBIG;
		else
			text = more;
	}
	int error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	return text;
}

/* wa_read_document is wa_document of a path without which there is no answer: what
 * stands in the way ends the program, UNKNOWN. It also ends with its program.
 */
static inline const char *wa_read_document(const wa_plugin *p, const char *path)
{
	const char *text = wa_document(path);
	if (text == NULL)
		wa_fail(p, WA_UNKNOWN, path);
	return text;
}

/* wa_fact reads a fact about the machine: the JSON document /host/NAME. */
static inline const char *wa_fact(const wa_plugin *p, const char *name)
{
	char path[WA_PATH];
	snprintf(path, sizeof path, "/host/%s", name);
	return wa_read_document(p, path);
}

/* wa_env reads a value, perhaps a secret, that the operator set for this module:
 * /env/NAME. Put no secret into an answer.
 */
static inline const char *wa_env(const wa_plugin *p, const char *name)
{
	char path[WA_PATH];
	snprintf(path, sizeof path, "/env/%s", name);
	return wa_read_document(p, path);
}

/* wa_load reads what wa_save wrote in an earlier run, NULL with ENOENT if there is
 * nothing (or no grant: wa_save tells). The name is that of a file in /state.
 */
static inline char *wa_load(const char *name)
{
	char path[WA_PATH];
	snprintf(path, sizeof path, "/state/%s", name);
	return wa_document(path);
}

/* wa_save keeps bytes for the runs to come. A run sees what was there before, or all
 * of it.
 */
static inline bool wa_save(const char *name, const void *data, size_t size)
{
	char path[WA_PATH], draft[WA_PATH];
	snprintf(path, sizeof path, "/state/%s", name);
	snprintf(draft, sizeof draft, "/state/%s.draft", name);
	int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return false;
	bool written = wa_write(fd, data, size);
	return close(fd) == 0 && written && rename(draft, path) == 0;
}

/* ---- JSON ----
 *
 * A value is a pointer to where it begins in a document, NULL for one that is not
 * there: wa_number(wa_member(wa_member(document, "usage"), "used_bytes")) is NAN if
 * anything on the way is missing. Nothing is allocated. The documents are the agent's;
 * of one that is not JSON no value is right, but none is outside of it. These functions
 * set no errno. https://www.rfc-editor.org/rfc/rfc8259
 */

static inline const char *wa_blank(const char *at) { return at + strspn(at, " \t\r\n"); }

/* wa_end_string returns the end of a string that begins at a quote. */
static inline const char *wa_end_string(const char *at)
{
	for (at++; *at != '\0' && *at != '"'; at++)
		if (*at == '\\' && at[1] != '\0')
			at++;
	return *at == '"' ? at + 1 : at;
}

/* wa_end returns the end of a value. */
static inline const char *wa_end(const char *at)
{
	int depth = 0;
	at = wa_blank(at);
	do {
		if (*at == '\0')
			return at;
		if (*at == '"') {
			at = wa_end_string(at);
			continue;
		}
		if (*at == '{' || *at == '[')
			depth++;
		else if (*at == '}' || *at == ']')
			depth--;
		else if (depth == 0)
			return at + strcspn(at, ",]} \t\r\n");
		at++;
	} while (depth > 0);
	return at;
}

/* wa_comma returns what follows a value and a comma, or NULL at the end. */
static inline const char *wa_comma(const char *value)
{
	const char *at = wa_blank(wa_end(value));
	return *at == ',' ? wa_blank(at + 1) : NULL;
}

/* wa_element returns the element of a list that follows one, the first if that is
 * NULL, and NULL after the last.
 */
static inline const char *wa_element(const char *list, const char *before)
{
	if (list == NULL || *(list = wa_blank(list)) != '[')
		return NULL;
	if (before != NULL)
		return wa_comma(before);
	list = wa_blank(list + 1);
	return *list == ']' ? NULL : list;
}

/* wa_member returns the member of an object. */
static inline const char *wa_member(const char *object, const char *name)
{
	size_t length = strlen(name);
	if (object == NULL || *(object = wa_blank(object)) != '{')
		return NULL;
	for (const char *key = wa_blank(object + 1); key != NULL && *key == '"';) {
		const char *end = wa_end_string(key), *colon = wa_blank(end);
		if (*colon != ':')
			return NULL;
		if ((size_t)(end - key) == length + 2 && memcmp(key + 1, name, length) == 0)
			return wa_blank(colon + 1);
		key = wa_comma(colon + 1);
	}
	return NULL;
}

/* wa_number is a number; NAN if the value is none. */
static inline double wa_number(const char *value)
{
	return value != NULL && strchr("-0123456789", *value) != NULL && *value != '\0' ? strtod(value, NULL) : NAN;
}

/* wa_true tells whether a value is true. */
static inline bool wa_true(const char *value) { return value != NULL && strncmp(value, "true", 4) == 0; }

/* wa_unescape reads a character after a backslash, and moves on to its end. */
static inline unsigned long wa_unescape(const char **at)
{
	static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
	unsigned int code, low;
	const char *found = **at != '\0' ? strchr(letters, **at) : NULL;
	if (**at != 'u' || sscanf(*at + 1, "%4x", &code) != 1 || strnlen(*at, 5) < 5) {
		code = found != NULL ? (unsigned char)controls[found - letters] : (unsigned char)**at;
		*at += **at != '\0';
		return code;
	}
	*at += 5;
	if (code >= 0xd800 && code < 0xdc00 && strnlen(*at, 6) == 6 && sscanf(*at, "\\u%4x", &low) == 1) {
		*at += 6;
		return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	return code;
}

/* wa_utf8 writes a character, and returns how many bytes that are. */
static inline size_t wa_utf8(unsigned long code, char out[static 4])
{
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = size - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(first[size] | code);
	return size;
}

/* wa_text reads a string into a buffer, and returns that; "" if the value is none.
 * What does not fit is left out.
 */
static inline const char *wa_text(const char *value, char *buffer, size_t size)
{
	size_t used = 0;
	if (value != NULL && *value == '"') {
		for (const char *at = value + 1; *at != '\0' && *at != '"';) {
			char bytes[4] = {*at};
			size_t n = 1;
			if (*at++ == '\\')
				n = wa_utf8(wa_unescape(&at), bytes);
			if (used + n >= size)
				break;
			memcpy(buffer + used, bytes, n);
			used += n;
		}
	}
	buffer[used] = '\0';
	return buffer;
}

#endif
