/* check_load compares the load average of the last minute, divided by the
 * number of processors, with two thresholds.
 *
 *     check_load [WARN [CRIT]]      1 and 2 unless told
 *
 * It needs the permission "/host/load". The document is flat JSON, so that
 * finding a key in its text is enough.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* threshold reads the nth argument where there is one. */
static int threshold(int argc, char **argv, int n, double *value)
{
	char *end;
	if (argc <= n)
		return 1;
	*value = strtod(argv[n], &end);
	return end != argv[n] && *end == '\0';
}

int main(int argc, char **argv)
{
	static const char *names[] = { "OK", "WARNING", "CRITICAL" };
	double warn = 1, crit = 2, load1, load5, load15, cores;
	char json[4096];

	if (!threshold(argc, argv, 1, &warn) || !threshold(argc, argv, 2, &crit))
		return unknown("thresholds are numbers: check_load [WARN [CRIT]]");

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
