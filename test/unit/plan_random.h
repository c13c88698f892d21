/*
 * plan_random.h
 *		Random orders: against an oracle that tries everything, and for
 *		properties that every answer must have.
 *
 * Each function returns the number of failures and prints the first few.
 */
#ifndef PLAN_RANDOM_H
#define PLAN_RANDOM_H

extern int	compare_with_oracle(int instances, int rounding, int shared);
extern int	check_properties(int instances, int falling);
extern int	check_work_limit(int instances);
extern int	check_stocked(int instances);

#endif							/* PLAN_RANDOM_H */
