/*
 * eight.h
 *		Eight amounts of 16 bits at once.
 *
 * Private to blocks.c and sites.c.  Processors of the x86-64 kind have
 * instructions for these, which compilers do not find in loops over arrays
 * without storing what they sum up again and again; anywhere else, or with
 * ROUTING_PLAIN_EIGHT, they are such loops.  Both give the same results.  Sums
 * must fit in 16 bits.
 */
#ifndef ROUTING_SOURCING_EIGHT_H
#define ROUTING_SOURCING_EIGHT_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(ROUTING_PLAIN_EIGHT)
#include <emmintrin.h>

typedef __m128i Eight;

static inline Eight
eight_load(const int16_t *from)
{
	return _mm_loadu_si128((const __m128i *) (const void *) from);
}

static inline void
eight_store(int16_t *to, Eight a)
{
	_mm_storeu_si128((__m128i *) (void *) to, a);
}

static inline Eight
eight_same(int16_t amount)
{
	return _mm_set1_epi16(amount);
}

static inline Eight
eight_add(Eight a, Eight b)
{
	return _mm_add_epi16(a, b);
}

static inline Eight
eight_subtract(Eight a, Eight b)
{
	return _mm_sub_epi16(a, b);
}

static inline Eight
eight_min(Eight a, Eight b)
{
	return _mm_min_epi16(a, b);
}

static inline Eight
eight_max(Eight a, Eight b)
{
	return _mm_max_epi16(a, b);
}

/* a bit for each that is not negative */
static inline uint32_t
eight_positive(Eight a)
{
	return ~(uint32_t) _mm_movemask_epi8(_mm_packs_epi16(a, a)) & 0xff;
}

/* each of them eight times, "apart" amounts from one to the next */
static inline void
eight_spread(Eight a, int16_t *to, int apart)
{
	Eight		low = _mm_unpacklo_epi16(a, a);
	Eight		high = _mm_unpackhi_epi16(a, a);

	eight_store(to, _mm_shuffle_epi32(low, 0x00));
	eight_store(to + apart, _mm_shuffle_epi32(low, 0x55));
	eight_store(to + 2 * apart, _mm_shuffle_epi32(low, 0xaa));
	eight_store(to + 3 * apart, _mm_shuffle_epi32(low, 0xff));
	eight_store(to + 4 * apart, _mm_shuffle_epi32(high, 0x00));
	eight_store(to + 5 * apart, _mm_shuffle_epi32(high, 0x55));
	eight_store(to + 6 * apart, _mm_shuffle_epi32(high, 0xaa));
	eight_store(to + 7 * apart, _mm_shuffle_epi32(high, 0xff));
}

#else

typedef struct Eight
{
	int16_t		amount[8];
} Eight;

static inline Eight
eight_load(const int16_t *from)
{
	Eight		a;

	memcpy(a.amount, from, sizeof(a.amount));
	return a;
}

static inline void
eight_store(int16_t *to, Eight a)
{
	memcpy(to, a.amount, sizeof(a.amount));
}

static inline Eight
eight_same(int16_t amount)
{
	Eight		a;
	int			k;

	for (k = 0; k < 8; k++)
		a.amount[k] = amount;
	return a;
}

static inline Eight
eight_add(Eight a, Eight b)
{
	int			k;

	for (k = 0; k < 8; k++)
		a.amount[k] = (int16_t) (a.amount[k] + b.amount[k]);
	return a;
}

static inline Eight
eight_subtract(Eight a, Eight b)
{
	int			k;

	for (k = 0; k < 8; k++)
		a.amount[k] = (int16_t) (a.amount[k] - b.amount[k]);
	return a;
}

static inline Eight
eight_min(Eight a, Eight b)
{
	int			k;

	for (k = 0; k < 8; k++)
		a.amount[k] = a.amount[k] < b.amount[k] ? a.amount[k] : b.amount[k];
	return a;
}

static inline Eight
eight_max(Eight a, Eight b)
{
	int			k;

	for (k = 0; k < 8; k++)
		a.amount[k] = a.amount[k] > b.amount[k] ? a.amount[k] : b.amount[k];
	return a;
}

static inline uint32_t
eight_positive(Eight a)
{
	uint32_t	bits = 0;
	int			k;

	for (k = 0; k < 8; k++)
		bits |= (uint32_t) (a.amount[k] >= 0) << k;
	return bits;
}

static inline void
eight_spread(Eight a, int16_t *to, int apart)
{
	int			k;

	for (k = 0; k < 8; k++)
		eight_store(to + k * apart, eight_same(a.amount[k]));
}

#endif

#endif							/* ROUTING_SOURCING_EIGHT_H */
