// Vectors of either precision as wide as the processor's registers, in the notation of GCC and Clang.
#pragma once

#include <cstdint>

namespace gbscape {

// Wider ones would be taken apart by the compiler, which costs several times the time.
#if defined(__AVX512F__)
constexpr int64_t REGISTER_BYTES = 64;
#elif defined(__AVX__)
constexpr int64_t REGISTER_BYTES = 32;
#else
constexpr int64_t REGISTER_BYTES = 16;
#endif

template <class T>
struct Vector;
template <>
struct Vector<float> {
    typedef float V __attribute__((vector_size(REGISTER_BYTES)));
    typedef int32_t Index __attribute__((vector_size(REGISTER_BYTES)));
};
template <>
struct Vector<double> {
    typedef double V __attribute__((vector_size(REGISTER_BYTES)));
    typedef int64_t Index __attribute__((vector_size(REGISTER_BYTES)));
};

template <class T>
using V = typename Vector<T>::V;
template <class T>
constexpr int64_t LANES = REGISTER_BYTES / sizeof(T);

}  // namespace gbscape
