// Vectors of doubles as wide as the processor's registers, in the notation of GCC and Clang.
#pragma once

#include <cmath>

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace gbscape {

#if defined(__AVX512F__)
constexpr int LANES = 8, ACCUMULATORS = 24;  // 32 registers, of which some hold operands
#elif defined(__AVX__)
constexpr int LANES = 4, ACCUMULATORS = 12;  // 16 registers
#elif defined(__aarch64__)
constexpr int LANES = 4, ACCUMULATORS = 12;  // 32 registers, two to a vector
#else
constexpr int LANES = 4, ACCUMULATORS = 6;  // 16 registers, two to a vector
#endif

typedef double vec __attribute__((vector_size(8 * LANES), may_alias));
typedef double unaligned_vec __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

static inline vec load(const double *p) { return *reinterpret_cast<const unaligned_vec *>(p); }
static inline void store(double *p, vec v) { *reinterpret_cast<unaligned_vec *>(p) = v; }

static inline vec square_root(vec v) {
#if defined(__AVX512F__)
    return vec(_mm512_sqrt_pd(__m512d(v)));
#elif defined(__AVX__)
    return vec(_mm256_sqrt_pd(__m256d(v)));
#else
    for (int q = 0; q < LANES; ++q) v[q] = std::sqrt(v[q]);
    return v;
#endif
}

}  // namespace gbscape
