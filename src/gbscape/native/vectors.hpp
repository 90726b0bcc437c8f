// Vectors of doubles as wide as the processor's registers, in the notation of GCC and Clang.
#pragma once

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace gbscape {

#if defined(__AVX512F__)
constexpr int LANES = 8, ACCUMULATORS = 24;  // 32 registers, of which some hold operands
#elif defined(__AVX__)
constexpr int LANES = 4, ACCUMULATORS = 12;  // 16 registers
#else
constexpr int LANES = 4, ACCUMULATORS = 6;  // two registers of 128 bits each
#endif

typedef double vec __attribute__((vector_size(8 * LANES), may_alias));
typedef double unaligned_vec __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

static inline vec load(const double *p) { return *reinterpret_cast<const unaligned_vec *>(p); }
static inline void store(double *p, vec v) { *reinterpret_cast<unaligned_vec *>(p) = v; }

}  // namespace gbscape
