/* check_load compares the load average of the last minute, divided by the
 * number of processors, with two thresholds.
 *
 *     check_load [-w LOAD] [-c LOAD]      1 and 2 unless told
 *
 * It needs the permission "/host/load". The document is flat JSON, so that
 * finding a key in its text is enough.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int unknown(const char *what)
{
	printf("LOAD UNKNOWN: %s\n", what);
	return 3;
}

/* number finds the number of a key in a flat JSON document. */
static int number(const char *json, const char *key, double *value)
{
	char quoted[32];
	snprintf(quoted, sizeof quoted, "\"%s\":", key);
	const char *at = strstr(json, quoted);
	if (at == NULL)
		return 0;
	*value = strtod(at + strlen(quoted), NULL);
	return 1;
}

/* arguments reads the thresholds; it is 0 if anything is wrong. */
static int arguments(int argc, char **argv, double *warn, double *crit)
{
	int option;
	char *end;
	opterr = 0;
	while ((option = getopt(argc, argv, "w:c:")) != -1) {
		if (option == '?')
			return 0;
		*(option == 'w' ? warn : crit) = strtod(optarg, &end);
		if (end == optarg || *end != '\0')
			return 0;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	static const char *names[] = { "OK", "WARNING", "CRITICAL" };
	double warn = 1, crit = 2, load1, load5, load15, cores;
	char json[4096];

	if (!arguments(argc, argv, &warn, &crit))
		return unknown("usage: check_load [-w LOAD] [-c LOAD]");

	FILE *file = fopen("/host/load", "r");
	if (file == NULL)
		return unknown("/host/load cannot be opened: is it granted?");
	json[fread(json, 1, sizeof json - 1, file)] = '\0';
	fclose(file);

	if (!number(json, "load1", &load1) || !number(json, "load5", &load5) ||
	    !number(json, "load15", &load15) || !number(json, "logical_cores", &cores) || cores < 1)
		return unknown("/host/load lacks a number");

	double share = load1 / cores;
	int status = share > crit ? 2 : share > warn ? 1 : 0;
	printf("LOAD %s: %.2f on %.0f processors|load1=%.2f;%g;%g;0 load5=%.2f;;;0 load15=%.2f;;;0\n",
	       names[status], load1, cores, load1, warn * cores, crit * cores, load5, load15);
	return status;
}
