/* check_tcp connects to a server, and may send it something and expect an answer.
 *
 *     check_tcp -H HOST -p PORT [-s SEND] [-e EXPECT] [-q QUIT] [-S] [-D DAYS] ...
 *
 * The options and the states are those of the Monitoring Plugins' check_tcp, but that
 * with -S the server's certificate has to be valid. It needs the permission
 * "/dev/tcp/HOST/PORT"; with -S "/dev/tls/HOST/PORT", and with -D
 * "/dev/tls/HOST/PORT/peer" beside it.
 */
#define _GNU_SOURCE /* memmem */
#include "../../sdk/c/wasmagent.h"

enum { MOST_EXPECTED = 32, SHOWN = 200, PAUSE = 2 };

static const wa_option options[] = {
	{'H', "hostname", "HOST", "the server's name or address"},
	{'p', "port", "PORT", "its port"},
	{'E', "escape", NULL, "\\n, \\r, \\t and \\\\ in -s and -q, which must come after it, stand for\n    characters, and nothing is added to what -q says"},
	{'s', "send", "TEXT", "send this"},
	{'e', "expect", "TEXT", "expect this in the answer; of several, one of them"},
	{'A', "all", NULL, "expect all of them"},
	{'q', "quit", "TEXT", "send this and a line end before closing"},
	{'r', "refuse", "STATE", "what a refused connection is: ok, warn or crit (default: crit)"},
	{'M', "mismatch", "STATE", "what an answer without the expected text is (default: warn)"},
	{'j', "jail", NULL, "do not show the answer"},
	{'m', "maxbytes", "NUMBER", "read no more than about this many bytes"},
	{'d', "delay", "SECONDS", "wait between sending and reading"},
	{'S', "ssl", NULL, "connect with TLS"},
	{'D', "certificate", "WARN[,CRIT]", "how many days the certificate must be valid; means -S"},
	{'w', "warning", "RANGE", "the time in seconds, WARNING outside of this range"},
	{'c', "critical", "RANGE", "the time in seconds, CRITICAL outside of this range"},
	{0},
};

/* A question is what the command line asks. */
typedef struct {
	const char *host, *send, *quit;
	const char *expect[MOST_EXPECTED];
	int expected;
	bool all, escape, jail, tls, certificate;
	int port, warn_days, crit_days;
	wa_state refuse, mismatch;
	double max_bytes, delay;
	wa_limits limits;
} question;

/* An answer is what the server sent. What was searched is let go of, so that a server
 * that does not end fills no memory.
 */
typedef struct {
	bool found[MOST_EXPECTED];
	char shown[SHOWN + 1];
	double size;
	char *window; /* what is not searched yet, with as much before it as a text can have begun in */
	size_t used, room, longest;
} answer;

static wa_state state_argument(const wa_plugin *p)
{
	static const char *const names[] = {"ok", "warn", "crit"};
	for (wa_state s = WA_OK; s <= WA_CRITICAL; s++)
		if (strcmp(p->argument, names[s]) == 0)
			return s;
	wa_mistake(p, "-%c: \"%.40s\" is none of ok, warn and crit", p->option, p->argument);
}

/* days_argument reads WARN[,CRIT]. */
static void days_argument(const wa_plugin *p, question *q)
{
	int end = 0;
	if (sscanf(p->argument, "%d%n,%d%n", &q->warn_days, &end, &q->crit_days, &end) < 1 || p->argument[end] != '\0')
		wa_mistake(p, "-D: \"%.40s\" is no number of days, or two; want one such as 30 or 30,7", p->argument);
	q->certificate = q->tls = true;
}

/* unescaped is a text in which a backslash and a letter stand for a character. */
static const char *unescaped(const char *text)
{
	static const char letters[] = "nrt\\", characters[] = "\n\r\t\\";
	char *out = strdup(text), *to = out;
	for (; out != NULL && *text != '\0'; text++) {
		const char *letter = *text == '\\' && text[1] != '\0' ? strchr(letters, text[1]) : NULL;
		*to++ = letter != NULL ? characters[letter - letters] : *text;
		text += letter != NULL;
	}
	if (out != NULL)
		*to = '\0';
	return out;
}

static const char *with_line_end(const char *text)
{
	char *out = malloc(strlen(text) + 3);
	return out != NULL ? strcat(strcpy(out, text), "\r\n") : NULL;
}

static void take(wa_plugin *p, question *q)
{
	switch (p->option) {
	case 'H': q->host = p->argument; break;
	case 'p': q->port = (int)wa_whole_argument(p, 1, 65535); break;
	case 'E': q->escape = true; break;
	case 's': q->send = q->escape ? unescaped(p->argument) : p->argument; break;
	case 'q': q->quit = q->escape ? unescaped(p->argument) : with_line_end(p->argument); break;
	case 'A': q->all = true; break;
	case 'r': q->refuse = state_argument(p); break;
	case 'M': q->mismatch = state_argument(p); break;
	case 'j': q->jail = true; break;
	case 'm': q->max_bytes = wa_whole_argument(p, 1, 1 << 30); break;
	case 'd': q->delay = wa_whole_argument(p, 0, 1 << 20); break;
	case 'S': q->tls = true; break;
	case 'D': days_argument(p, q); break;
	case 'w': q->limits.warn = wa_range_argument(p); break;
	case 'c': q->limits.crit = wa_range_argument(p); break;
	case 'e':
		if (q->expected == MOST_EXPECTED)
			wa_mistake(p, "-e may be repeated %d times", MOST_EXPECTED);
		q->expect[q->expected++] = p->argument;
	}
}

static question asked(wa_plugin *p)
{
	question q = {.refuse = WA_CRITICAL, .mismatch = WA_WARNING, .max_bytes = INFINITY};
	while (wa_next(p) != 0)
		take(p, &q);
	if (q.host == NULL)
		wa_mistake(p, "which server? give -H");
	if (q.port == 0)
		wa_mistake(p, "which port? give -p");
	return q;
}

/* moment reads a time such as 2030-01-02T03:04:05Z. */
static double moment(const wa_plugin *p, const char *value)
{
	char text[32];
	struct tm t = {0};
	if (sscanf(wa_text(value, text, sizeof text), "%d-%d-%dT%d:%d:%dZ", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec) != 6)
		wa_exit(p, WA_UNKNOWN, "the server has shown no certificate");
	t.tm_year -= 1900, t.tm_mon--;
	return (double)timegm(&t);
}

/* check_certificate ends the program unless the server's certificate is valid for
 * long enough. The agent has looked at it, whether it is to be trusted or not.
 */
static void check_certificate(const wa_plugin *p, const question *q)
{
	char path[WA_PATH], end[32];
	if (!wa_device(path, "tls", q->host, q->port))
		wa_fail(p, WA_UNKNOWN, q->host);
	strcat(path, "/peer");
	char *peer = wa_document(path);
	if (peer == NULL)
		wa_fail(p, WA_CRITICAL, path);
	const char *certificate = wa_element(wa_member(peer, "certificates"), NULL);
	double now = (double)time(NULL), days = floor((moment(p, wa_member(certificate, "not_after")) - now) / 86400);
	wa_text(wa_member(certificate, "not_after"), end, sizeof end);
	if (days < 0)
		wa_exit(p, WA_CRITICAL, "the certificate expired on %s", end);
	if (now < moment(p, wa_member(certificate, "not_before")))
		wa_exit(p, WA_CRITICAL, "the certificate is not valid yet");
	if (days <= q->warn_days || days <= q->crit_days)
		wa_exit(p, days <= q->crit_days ? WA_CRITICAL : WA_WARNING, "the certificate expires in %.0f days, on %s", days, end);
	free(peer);
}

static int connected(const wa_plugin *p, const question *q)
{
	char path[WA_PATH];
	const char *network = q->tls ? "tls" : "tcp";
	int fd = wa_dial(network, q->host, q->port, p->deadline);
	if (fd >= 0)
		return fd;
	int error = errno;
	if (!wa_device(path, network, q->host, q->port))
		wa_mistake(p, "\"%.100s\" is no host", q->host);
	errno = error;
	wa_fail(p, error == ECONNREFUSED ? q->refuse : WA_CRITICAL, path);
}

/* wait_before_reading waits as long as -d says. */
static void wait_before_reading(const wa_plugin *p, const question *q)
{
	double left = p->deadline - wa_now(), seconds = q->delay < left ? q->delay : left;
	if (seconds > 0)
		usleep((useconds_t)(seconds * 1e6));
}

/* search looks for the texts in the window, and moves on. It tells whether the answer
 * is as expected.
 */
static bool search(const question *q, answer *a)
{
	int found = 0;
	for (int i = 0; i < q->expected; i++) {
		a->found[i] = a->found[i] || memmem(a->window, a->used, q->expect[i], strlen(q->expect[i])) != NULL;
		found += a->found[i];
	}
	size_t kept = a->used < a->longest ? a->used : a->longest;
	memmove(a->window, a->window + a->used - kept, kept);
	a->used = kept;
	return q->all ? found == q->expected : found > 0;
}

static void prepare(const wa_plugin *p, const question *q, answer *a)
{
	for (int i = 0; i < q->expected; i++)
		if (strlen(q->expect[i]) > a->longest)
			a->longest = strlen(q->expect[i]);
	a->room = a->longest + (16 << 10);
	a->window = malloc(a->room);
	if (a->window == NULL)
		wa_exit(p, WA_UNKNOWN, "no memory");
}

/* show keeps the beginning of what the server sent, without what no line of text
 * holds.
 */
static void show(answer *a, const char *data, size_t size)
{
	size_t shown = strlen(a->shown);
	for (; size > 0 && shown < SHOWN; data++, size--)
		if ((unsigned char)*data >= ' ' || (shown > 0 && *data == '\n'))
			a->shown[shown++] = *data;
	while (shown > 0 && a->shown[shown - 1] == '\n' && size == 0)
		shown--;
	a->shown[shown] = '\0';
}

/* expect reads until the answer is as expected, or comes to an end: the connection
 * is closed, or nothing more comes for some time. It tells whether it is.
 */
static bool expect(const wa_plugin *p, const question *q, int fd, answer *a)
{
	prepare(p, q, a);
	for (double until = p->deadline; a->size < q->max_bytes;) {
		ssize_t n = wa_read(fd, a->window + a->used, a->room - a->used, until);
		if (n < 0 && errno == ETIMEDOUT && (a->size == 0 || wa_now() >= p->deadline))
			wa_fail(p, WA_CRITICAL, q->host);
		if (n <= 0)
			break;
		show(a, a->window + a->used, n);
		a->used += n, a->size += n;
		if (search(q, a))
			return true;
		until = fmin(p->deadline, wa_now() + PAUSE);
	}
	if (a->size == 0)
		wa_exit(p, WA_CRITICAL, "no data received from the host");
	return false;
}

int main(int argc, char **argv)
{
	wa_plugin p = {"check_tcp", "1.0.0", "connects to a server",
		       "-H HOST -p PORT [-s TEXT] [-e TEXT]... [-q TEXT] [-w RANGE] [-c RANGE] [-t SECONDS]\n"
		       "    [-r STATE] [-M STATE] [-m BYTES] [-d SECONDS] [-S] [-D DAYS[,DAYS]] [-A] [-E] [-j]",
		       options, .late = WA_CRITICAL};
	answer a = {0};
	wa_begin(&p, argc, argv);
	question q = asked(&p);

	if (q.certificate)
		check_certificate(&p, &q);
	int fd = connected(&p, &q);
	if (q.send != NULL && !wa_write(fd, q.send, strlen(q.send)))
		wa_fail(&p, WA_CRITICAL, q.host);
	wait_before_reading(&p, &q);
	if (wa_now() >= p.deadline) {
		errno = ETIMEDOUT;
		wa_fail(&p, WA_CRITICAL, q.host);
	}
	bool matched = q.expected == 0 || expect(&p, &q, fd, &a);
	if (q.quit != NULL)
		wa_write(fd, q.quit, strlen(q.quit));
	close(fd);

	double seconds = round((wa_now() - p.began) * 1e6) / 1e6;
	wa_state state = wa_judge(&q.limits, seconds);
	wa_perf(&p, "time", seconds, "s", &q.limits, 0, p.timeout);
	if (q.jail)
		a.shown[0] = '\0';
	if (!matched)
		wa_exit(&p, state == WA_CRITICAL ? state : q.mismatch, "unexpected response from the host: %s", a.shown);
	wa_exit(&p, state, "%.3f second response time on %s port %d%s%s%s", seconds, q.host, q.port,
		a.shown[0] != '\0' ? " [" : "", a.shown, a.shown[0] != '\0' ? "]" : "");
}
