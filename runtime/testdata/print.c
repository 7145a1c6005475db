// The smallest check in C.
#include <stdio.h>

int main(void) {
    puts("OK - fine|load=1;2;3");
    return 0;
}
