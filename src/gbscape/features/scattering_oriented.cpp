// The fields of one order combined to those of many directions, of which only the mean modulus over each plane is kept.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "registers.hpp"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using gbscape::LANES, gbscape::V;

constexpr int64_t BLOCK = 256;  // points whose fields stay in the first cache while all directions are made of them

template <class T>
inline void modulus(V<T>& a) {
    a = a < 0 ? -a : a;
}

// K fields; PARTS is 1 for a real wavelet about the direction, 2 for the real and imaginary part of a complex one.
template <class T, int K, int PARTS>
void plane_means(const T* const* fields, int64_t points, int64_t begin, int64_t end, int64_t planes,
                 const T* coefficients, int64_t directions, double* means) {
    alignas(64) T block[K][BLOCK];
    std::vector<double> sums(directions);
    for (int64_t plane = begin; plane < end; ++plane) {
        std::fill(sums.begin(), sums.end(), 0.0);
        for (int64_t start = 0; start < points; start += BLOCK) {
            const int64_t size = std::min(BLOCK, points - start), vectors = (size + LANES<T> - 1) / LANES<T>;
            for (int k = 0; k < K; ++k) {
                std::memcpy(block[k], fields[k] + plane * points + start, size * sizeof(T));
                std::fill(block[k] + size, block[k] + vectors * LANES<T>, T(0));
            }
            for (int64_t d = 0; d < directions; ++d) {
                const T* c = coefficients + d * PARTS * K;
                V<T> sum = {};
                for (int64_t i = 0; i < vectors; ++i) {
                    V<T> first = {}, second = {};
                    for (int k = 0; k < K; ++k) {
                        const V<T> field = reinterpret_cast<const V<T>*>(block[k])[i];
                        first += field * c[k];
                        if (PARTS == 2) second += field * c[K + k];
                    }
                    if (PARTS == 2) {
                        first = first * first + second * second;
                        for (int64_t lane = 0; lane < LANES<T>; ++lane) first[lane] = std::sqrt(first[lane]);
                    } else {
                        modulus<T>(first);
                    }
                    sum += first;
                }
                double wide = 0;
                for (int64_t lane = 0; lane < LANES<T>; ++lane) wide += double(sum[lane]);
                sums[d] += wide;
            }
        }
        for (int64_t d = 0; d < directions; ++d) means[d * planes + plane] = sums[d] / double(points);
    }
}

template <class T>
int64_t dispatch(int64_t k, int64_t parts, const T* const* fields, int64_t points, int64_t begin, int64_t end,
                 int64_t planes, const T* coefficients, int64_t directions, double* means) {
#define CASE(K)                                                                                             \
    case K:                                                                                                 \
        if (parts == 2)                                                                                     \
            plane_means<T, K, 2>(fields, points, begin, end, planes, coefficients, directions, means);      \
        else                                                                                                \
            plane_means<T, K, 1>(fields, points, begin, end, planes, coefficients, directions, means);      \
        return 0;
    switch (k) {
        CASE(1) CASE(3) CASE(5) CASE(7) CASE(9) CASE(11) CASE(13) CASE(15) CASE(17)
    }
#undef CASE
    return 1;
}

template <class T>
int64_t in_threads(const T* const* fields, int64_t k, int64_t planes, int64_t points, const T* coefficients,
                   int64_t directions, int64_t parts, double* means, int64_t threads) {
    threads = std::max<int64_t>(1, std::min(threads, planes));
    std::vector<int64_t> failed(threads);
    const auto work = [&](int64_t thread) {
        failed[thread] = dispatch(k, parts, fields, points, planes * thread / threads, planes * (thread + 1) / threads,
                                  planes, coefficients, directions, means);
    };
    std::vector<std::thread> others;
    for (int64_t thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
    work(0);
    for (std::thread& other : others) other.join();
    return *std::max_element(failed.begin(), failed.end());
}

}  // namespace

// means[d][plane] of k fields (planes x points each); coefficients[d][parts][k]. Not zero: there is no code for this k.
#define FOR_TYPE(T)                                                                                                     \
    EXPORT int64_t plane_means_##T(const T* const* fields, int64_t k, int64_t planes, int64_t points,                  \
                                   const T* coefficients, int64_t directions, int64_t parts, double* means,            \
                                   int64_t threads) {                                                                  \
        return in_threads(fields, k, planes, points, coefficients, directions, parts, means, threads);                 \
    }

FOR_TYPE(float)
FOR_TYPE(double)
