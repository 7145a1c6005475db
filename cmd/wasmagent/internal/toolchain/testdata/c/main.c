/* Does what its first argument says, as the programs beside it do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int calls;

int main(int argc, char **argv)
{
	calls++;
	if (strcmp(argv[1], "words") == 0) {
		printf("%d: ", calls);
		for (int i = 2; i < argc; i++)
			printf("%s%s", i > 2 ? "|" : "", argv[i]);
		printf("\n");
	} else if (strcmp(argv[1], "exit") == 0) {
		printf("exits\n");
		return atoi(argv[2]);
	} else if (strcmp(argv[1], "input") == 0) {
		for (int c; (c = getchar()) != EOF;)
			putchar(c);
	} else if (strcmp(argv[1], "complain") == 0) {
		fprintf(stderr, "something is wrong\n");
		exit(3);
	} else if (strcmp(argv[1], "open") == 0) {
		FILE *file = fopen("/absent", "r");
		printf("open: %s\n", file == NULL && errno == ENOENT ? "true" : "false");
	} else if (strcmp(argv[1], "give-up") == 0) {
		printf("before\n");
		fflush(stdout);
		abort();
	}
	return 0;
}
