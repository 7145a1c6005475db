/* check_ok prints what the smallest check prints. */
#include <stdio.h>

int main(void)
{
	puts("OK: all is well|time=1s;2;3");
	return 0;
}
