/* work prints, sorts, matches and digests a hundred kilobytes of text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>

/* The constants of SHA-256. */
static const uint32_t k[64] = {
	0x428a2f98,0x71374491,0xb5c0fbcf,0xe9b5dba5,0x3956c25b,0x59f111f1,0x923f82a4,0xab1c5ed5,0xd807aa98,0x12835b01,0x243185be,0x550c7dc3,0x72be5d74,0x80deb1fe,0x9bdc06a7,0xc19bf174,
	0xe49b69c1,0xefbe4786,0x0fc19dc6,0x240ca1cc,0x2de92c6f,0x4a7484aa,0x5cb0a9dc,0x76f988da,0x983e5152,0xa831c66d,0xb00327c8,0xbf597fc7,0xc6e00bf3,0xd5a79147,0x06ca6351,0x14292967,
	0x27b70a85,0x2e1b2138,0x4d2c6dfc,0x53380d13,0x650a7354,0x766a0abb,0x81c2c92e,0x92722c85,0xa2bfe8a1,0xa81a664b,0xc24b8b70,0xc76c51a3,0xd192e819,0xd6990624,0xf40e3585,0x106aa070,
	0x19a4c116,0x1e376c08,0x2748774c,0x34b0bcb5,0x391c0cb3,0x4ed8aa4a,0x5b9cca4f,0x682e6ff3,0x748f82ee,0x78a5636f,0x84c87814,0x8cc70208,0x90befffa,0xa4506ceb,0xbef9a3f7,0xc67178f2 };

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* block is the compression of SHA-256 (FIPS 180-4). */
static void block(uint32_t h[8], const unsigned char *p)
{
	uint32_t w[64], v[8];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4*i] << 24 | p[4*i+1] << 16 | p[4*i+2] << 8 | p[4*i+3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i-16] + (rotate(w[i-15], 7) ^ rotate(w[i-15], 18) ^ w[i-15] >> 3) + w[i-7] + (rotate(w[i-2], 17) ^ rotate(w[i-2], 19) ^ w[i-2] >> 10);
	memcpy(v, h, sizeof v);
	for (int i = 0; i < 64; i++) {
		uint32_t a = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		uint32_t b = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		v[7] = v[6]; v[6] = v[5]; v[5] = v[4]; v[4] = v[3] + a; v[3] = v[2]; v[2] = v[1]; v[1] = v[0]; v[0] = a + b;
	}
	for (int i = 0; i < 8; i++) h[i] += v[i];
}

/* matches is a regular expression of . * ^ $ after Kernighan and Pike. */
static int here(const char *re, const char *s);
static int star(int c, const char *re, const char *s) { do if (here(re, s)) return 1; while (*s && (*s++ == c || c == '.')); return 0; }
static int here(const char *re, const char *s)
{
	if (!re[0]) return 1;
	if (re[1] == '*') return star(re[0], re + 2, s);
	if (re[0] == '$' && !re[1]) return !*s;
	return *s && (re[0] == '.' || re[0] == *s) && here(re + 1, s + 1);
}
static int matches(const char *re, const char *s) { do if (here(re, s)) return 1; while (*s++); return 0; }

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

enum { LINES = 2000 };
static char text[LINES][56];
static char *lines[LINES];

int main(void)
{
	uint32_t h[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, seed = 1;
	int found = 0;
	for (int i = 0; i < LINES; i++) {
		seed = seed * 1103515245 + 12345;
		snprintf(text[i], sizeof text[i], "%08x host%u load=%.2f user %s", seed, seed >> 20, (seed >> 8) % 1000 / 100.0, seed & 0x10000 ? "root" : "www");
		lines[i] = text[i];
	}
	qsort(lines, LINES, sizeof lines[0], compare);
	for (int i = 0; i < LINES; i++) found += matches("host.*load=9.*root$", lines[i]);
	for (int i = 0; i + 64 <= (int)sizeof text; i += 64) block(h, (unsigned char *)text + i);
	printf("%s %d %08x\n", lines[0], found, h[0]);
	return 0;
}
