// Inverse complex FFTs of many sequences at once, one to a lane of a vector register, and blocks turned about their
// diagonal. Any length; 2, 3, 4 and 5 are fast factors.

#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "registers.hpp"

namespace gbscape {

template <class T>
struct Complex {
    V<T> re, im;
};
template <class T>
inline Complex<T> operator+(const Complex<T>& a, const Complex<T>& b) {
    return {a.re + b.re, a.im + b.im};
}
template <class T>
inline Complex<T> operator-(const Complex<T>& a, const Complex<T>& b) {
    return {a.re - b.re, a.im - b.im};
}
template <class T>
inline Complex<T> operator*(const Complex<T>& a, T s) {
    return {a.re * s, a.im * s};
}
template <class T>
inline Complex<T> plus_i(const Complex<T>& a, const Complex<T>& b) {  // a + i b
    return {a.re - b.im, a.im + b.re};
}
template <class T>
inline Complex<T> minus_i(const Complex<T>& a, const Complex<T>& b) {  // a - i b
    return {a.re + b.im, a.im - b.re};
}
template <class T>
inline Complex<T> turned(const Complex<T>& a, const T* w) {
    return {a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0]};
}

// Sums x_j exp(+2 pi i j k / n) over j, without a factor, by Stockham's algorithm.
template <class T>
class InverseFft {
   public:
    explicit InverseFft(int64_t length) : n(length) {
        int64_t rest = n;
        for (const int64_t p : {4, 5, 3, 2})
            for (; rest % p == 0; rest /= p) factors.push_back(p);
        for (int64_t p = 7; rest > 1; ++p)
            for (; rest % p == 0; rest /= p) factors.push_back(p);
        rest = n;
        for (const int64_t p : factors) {
            for (int64_t i = 0; i < rest / p; ++i)
                for (int64_t t = 1; t < p; ++t) append(double(i * t % rest) / double(rest));
            rest /= p;
        }
        for (const int64_t p : factors)  // roots of unity of the general factors
            if (p > 5)
                for (int64_t t = 0; t < p; ++t) append(double(t) / double(p));
    }

    // Transforms x (n) with the help of y (n); the result is in the one that is returned.
    Complex<T>* operator()(Complex<T>* x, Complex<T>* y) const {
        const T* w = table.data();
        int64_t twiddles = 0, size = n;
        for (const int64_t p : factors) twiddles += 2 * (p - 1) * (size / p), size /= p;
        const T* roots = w + twiddles;
        int64_t rest = n, stride = 1;
        for (const int64_t p : factors) {
            const int64_t m = rest / p;
            for (int64_t i = 0; i < m; ++i, w += 2 * (p - 1)) {
                const Complex<T>* from = x + stride * i;
                Complex<T>* to = y + stride * p * i;
                if (p == 4) radix_4(from, to, stride, stride * m, w);
                else if (p == 5) radix_5(from, to, stride, stride * m, w);
                else if (p == 3) radix_3(from, to, stride, stride * m, w);
                else if (p == 2) radix_2(from, to, stride, stride * m, w);
                else radix_any(from, to, stride, stride * m, w, roots, p);
            }
            if (p > 5) roots += 2 * p;
            rest = m;
            stride *= p;
            Complex<T>* other = x;
            x = y;
            y = other;
        }
        return x;
    }

   private:
    void append(double turn) {
        const double angle = 2 * 3.14159265358979323846 * turn;
        table.push_back(T(std::cos(angle)));
        table.push_back(T(std::sin(angle)));
    }

    static void radix_2(const Complex<T>* x, Complex<T>* y, int64_t s, int64_t step, const T* w) {
        for (int64_t q = 0; q < s; ++q) {
            const Complex<T> a = x[q], b = x[q + step];
            y[q] = a + b;
            y[q + s] = turned(a - b, w);
        }
    }
    static void radix_3(const Complex<T>* x, Complex<T>* y, int64_t s, int64_t step, const T* w) {
        constexpr T sine = T(0.86602540378443864676);
        for (int64_t q = 0; q < s; ++q) {
            const Complex<T> a = x[q], b = x[q + step], c = x[q + 2 * step];
            const Complex<T> sum = b + c, middle = a - sum * T(0.5), across = (b - c) * sine;
            y[q] = a + sum;
            y[q + s] = turned(plus_i(middle, across), w);
            y[q + 2 * s] = turned(minus_i(middle, across), w + 2);
        }
    }
    static void radix_4(const Complex<T>* x, Complex<T>* y, int64_t s, int64_t step, const T* w) {
        for (int64_t q = 0; q < s; ++q) {
            const Complex<T> a = x[q], b = x[q + step], c = x[q + 2 * step], d = x[q + 3 * step];
            const Complex<T> even = a + c, even_minus = a - c, odd = b + d, odd_minus = b - d;
            y[q] = even + odd;
            y[q + s] = turned(plus_i(even_minus, odd_minus), w);
            y[q + 2 * s] = turned(even - odd, w + 2);
            y[q + 3 * s] = turned(minus_i(even_minus, odd_minus), w + 4);
        }
    }
    static void radix_5(const Complex<T>* x, Complex<T>* y, int64_t s, int64_t step, const T* w) {
        constexpr T c1 = T(0.30901699437494742410), c2 = T(-0.80901699437494742410);
        constexpr T s1 = T(0.95105651629515357212), s2 = T(0.58778525229247312917);
        for (int64_t q = 0; q < s; ++q) {
            const Complex<T> a = x[q];
            const Complex<T> t1 = x[q + step] + x[q + 4 * step], t3 = x[q + step] - x[q + 4 * step];
            const Complex<T> t2 = x[q + 2 * step] + x[q + 3 * step], t4 = x[q + 2 * step] - x[q + 3 * step];
            const Complex<T> m1 = a + t1 * c1 + t2 * c2, m2 = a + t1 * c2 + t2 * c1;
            const Complex<T> n1 = t3 * s1 + t4 * s2, n2 = t3 * s2 - t4 * s1;
            y[q] = a + t1 + t2;
            y[q + s] = turned(plus_i(m1, n1), w);
            y[q + 2 * s] = turned(plus_i(m2, n2), w + 2);
            y[q + 3 * s] = turned(minus_i(m2, n2), w + 4);
            y[q + 4 * s] = turned(minus_i(m1, n1), w + 6);
        }
    }
    static void radix_any(const Complex<T>* x, Complex<T>* y, int64_t s, int64_t step, const T* w, const T* roots,
                          int64_t p) {
        for (int64_t q = 0; q < s; ++q)
            for (int64_t t = 0; t < p; ++t) {
                Complex<T> sum = x[q];
                for (int64_t r = 1; r < p; ++r) sum = sum + turned(x[q + r * step], roots + 2 * (r * t % p));
                y[q + t * s] = t ? turned(sum, w + 2 * (t - 1)) : sum;
            }
    }

    int64_t n;
    std::vector<int64_t> factors;
    std::vector<T> table;  // cosines and sines
};

// Lanes of a and, after them, of b.
template <class T>
inline V<T> shuffle(const V<T>& a, const V<T>& b, const typename Vector<T>::Index& chosen) {
#if defined(__clang__)  // which has the function for constant indices only
    V<T> result;
    for (int64_t lane = 0; lane < LANES<T>; ++lane)
        result[lane] = chosen[lane] < LANES<T> ? a[chosen[lane]] : b[chosen[lane] - LANES<T>];
    return result;
#else
    return __builtin_shuffle(a, b, chosen);
#endif
}

// rows[i][j] -> rows[j][i]
template <class T>
inline void transpose(V<T>* rows) {
    using Index = typename Vector<T>::Index;
    constexpr int64_t N = LANES<T>;
    for (int64_t half = N / 2; half > 0; half /= 2) {
        // Exchange the off-diagonal half x half blocks of every 2 half x 2 half block.
        Index low, high;
        for (int64_t lane = 0; lane < N; ++lane) {
            low[lane] = (lane & half) ? lane - half + N : lane;
            high[lane] = (lane & half) ? lane + N : lane + half;
        }
        for (int64_t i = 0; i < N; ++i) {
            if (i & half) continue;
            const V<T> a = rows[i], b = rows[i + half];
            rows[i] = shuffle<T>(a, b, low);
            rows[i + half] = shuffle<T>(a, b, high);
        }
    }
}

}  // namespace gbscape
