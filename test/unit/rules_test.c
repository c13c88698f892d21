/*
 * rules_test.c
 *		Terms and rules of plans: cases worked out by hand, then random ones.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rules_oracle.h"

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	int i, n = argc > 1 ? atoi(argv[1]) : 300, bad = 0;
	if (argc > 2) return compare_rules(n, (int) strtol(argv[2], 0, 16));
	for (i = 0; i < RULE_KINDS; i++)
		bad += compare_rules(n, 1 << i);
	bad += compare_rules(n, 0);
	printf("# bad %d\n", bad);
	for (i = 0; i < 8; i++)
		bad += compare_rules(n, (int) ((i * 2654435761u) >> 7) & 0x1fff);
	return bad > 0;
}
