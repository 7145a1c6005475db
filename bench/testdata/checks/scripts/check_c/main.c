/* check_c prints an answer. With an argument it then stays for some time. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argv;
	puts("OK: module 0000 is well|time=1s;2;3");
	if (argc > 1)
		sleep(2);
	return 0;
}
