/* probe_c is a check that uses one part of wasmagent.h inside the agent: its first word
 * says which. probe_rust answers the same.
 */
#include "../../sdk/c/wasmagent.h"

static const wa_option options[] = {
	{'w', "warning", "RANGE", "WARNING outside of this range"},
	{'c', "critical", "RANGE", "CRITICAL outside of this range"},
	{'v', "value", "NUMBER", "what is compared"},
	{'l', "label", "TEXT", "what it is called"},
	{'q', "quiet", NULL, "nothing"},
	{300, "part", "PART", "which part to use"},
	{301, "parts", "PART", "the same"},
	{'n', "name", "NAME", "a name, or a host"},
	{'p', "port", "PORT", "a port"},
	{'d', "data", "TEXT", "what to send or keep"},
	{0},
};

/* at finds what a path such as "usage.inodes.0" leads to. */
static const char *at(const char *value, char *path)
{
	for (char *name = strtok(path, "."); name != NULL && value != NULL; name = strtok(NULL, ".")) {
		const char *element = NULL;
		long index = *name >= '0' && *name <= '9' ? atol(name) : -1;
		if (index < 0)
			value = wa_member(value, name);
		for (; index >= 0; index--)
			if ((element = wa_element(value, element)) == NULL || index == 0) {
				value = element;
				break;
			}
	}
	return value;
}

/* shown is a value of a document as text. */
static const char *shown(const char *value, char *buffer, size_t size)
{
	if (value == NULL)
		return "nothing";
	if (*value == '"')
		return wa_text(value, buffer, size);
	if (wa_true(value))
		return "true";
	if (isnan(wa_number(value)))
		return "something";
	FILE *out = fmemopen(buffer, size, "w");
	wa_print_number(out, wa_number(value));
	fclose(out);
	return buffer;
}

/* talk sends text, says that there is no more, and reads the answer to its end. */
static void talk(const wa_plugin *p, const char *network, const char *host, int port, const char *data)
{
	char path[WA_PATH] = "", buffer[4096];
	size_t used = 0;
	int fd = wa_dial(network, host, port, p->deadline);
	wa_device(path, network, host, port);
	if (fd < 0 || !wa_write(fd, data, strlen(data)))
		wa_fail(p, WA_CRITICAL, path);
	if (strcmp(network, "udp") != 0 && !wa_close_write(fd))
		wa_fail(p, WA_CRITICAL, path);
	for (ssize_t n = 1; n > 0 && used < sizeof buffer; used += n) {
		if ((n = wa_read(fd, buffer + used, sizeof buffer - used, p->deadline)) < 0)
			wa_fail(p, WA_CRITICAL, path);
		if (strcmp(network, "udp") == 0 && (used += n) > 0)
			break;
	}
	wa_exit(p, WA_OK, "%.*s", (int)used, buffer);
}

int main(int argc, char **argv)
{
	wa_plugin p = {"check_probe", "1.0.0", "uses one part", "--part PART", options, .late = WA_CRITICAL};
	wa_limits limits = {0};
	double value = NAN;
	char buffer[256];
	const char *part = "", *name = "", *label = "value", *data = "";
	int port = 0;
	wa_begin(&p, argc, argv);
	for (int option; (option = wa_next(&p)) != 0;) {
		switch (option) {
		case 'w': limits.warn = wa_range_argument(&p); break;
		case 'c': limits.crit = wa_range_argument(&p); break;
		case 'v': value = wa_number_argument(&p); break;
		case 'l': label = p.argument; break;
		case 'n': name = p.argument; break;
		case 'p': port = (int)wa_whole_argument(&p, 1, 65535); break;
		case 'd': data = p.argument; break;
		case 300: part = p.argument; break;
		}
	}
	if (strcmp(part, "limits") == 0) {
		wa_perf(&p, label, value, "s", &limits, 0, NAN);
		wa_exit(&p, wa_judge(&limits, value), "%s", label);
	}
	if (strcmp(part, "fact") == 0)
		wa_exit(&p, WA_OK, "%s", shown(at(wa_fact(&p, name), strdup(data)), buffer, sizeof buffer));
	if (strcmp(part, "env") == 0)
		wa_exit(&p, WA_OK, "%s", wa_env(&p, name));
	if (strcmp(part, "save") == 0 && !wa_save(name, data, strlen(data)))
		wa_fail(&p, WA_UNKNOWN, "/state");
	if (strcmp(part, "load") == 0 && (data = wa_load(name)) == NULL)
		wa_exit(&p, WA_OK, "nothing");
	if (strcmp(part, "save") == 0 || strcmp(part, "load") == 0)
		wa_exit(&p, WA_OK, "%s", data);
	talk(&p, part, name, port, data);
}
