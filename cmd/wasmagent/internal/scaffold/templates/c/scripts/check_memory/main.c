/* check_memory says how much memory is in use. It alerts when that is more
 * than a percentage of all the memory:
 *
 *     check_memory [-w PERCENT] [-c PERCENT]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void unknown(const char *reason) {
	printf("UNKNOWN: %s\n", reason);
	exit(3);
}

/* number finds the number of a key in a flat JSON document. */
static double number(const char *json, const char *key) {
	const char *at = strstr(json, key);
	if (at == NULL || (at = strchr(at, ':')) == NULL)
		unknown("/host/memory lacks a number");
	return strtod(at + 1, NULL);
}

int main(int argc, char **argv) {
	double warn = 80, crit = 90;
	for (int option; (option = getopt(argc, argv, "w:c:")) != -1;) {
		if (option == 'w')
			warn = atof(optarg);
		else if (option == 'c')
			crit = atof(optarg);
		else
			unknown("usage: check_memory [-w PERCENT] [-c PERCENT]");
	}

	FILE *file = fopen("/host/memory", "r");
	if (file == NULL)
		unknown(strerror(errno));
	char json[8192];
	json[fread(json, 1, sizeof json - 1, file)] = '\0';
	fclose(file);

	double percent = number(json, "\"used_bytes\"") / number(json, "\"total_bytes\"") * 100;
	int status = percent > crit ? 2 : percent > warn ? 1 : 0;
	const char *states[] = {"OK", "WARNING", "CRITICAL"};
	printf("%s: %.1f %% of memory is in use|used=%.1f%%;%g;%g;0;100\n", states[status], percent, percent, warn, crit);
	return status;
}
