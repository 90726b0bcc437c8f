// Convolutions of a field with the wavelets of one order, from its half spectrum, with the passes fused that plain array
// operations would make apart: crop, weigh, multiply by a solid harmonic and transform along x; transform along y and z,
// square and add; take the root and sum its powers. All arrays are contiguous; complex numbers are pairs.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <new>
#include <thread>
#include <vector>

#include "fft.hpp"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using gbscape::Complex, gbscape::InverseFft, gbscape::LANES, gbscape::V;
using gbscape::transpose;

constexpr int64_t BLOCK = 1024;  // values that stay in the first cache between two steps

// Calls work(begin, end, thread) on consecutive parts of 0 ... n - 1, each a multiple of `grain` long but for the last.
template <class Work>
void in_parallel(int64_t n, int64_t grain, int64_t threads, Work work) {
    const int64_t grains = (n + grain - 1) / grain;
    threads = std::max<int64_t>(1, std::min(threads, grains));
    std::vector<std::thread> others;
    const auto bound = [&](int64_t part) { return std::min(n, grains * part / threads * grain); };
    for (int64_t part = 1; part < threads; ++part)
        others.emplace_back([=] { work(bound(part), bound(part + 1), part); });
    work(bound(0), bound(1), 0);
    for (std::thread& other : others) other.join();
}

// What a convolution is made of; see `fused_fields` in spectra.py.
template <class T>
struct Convolution {
    const T* source;  // half spectrum of a grid with source_y rows along y and source_z values along z
    int64_t source_y, source_z;
    const int64_t *rows_x, *rows_y;  // rows of the source by row of the grid; -1: none
    int64_t nx, ny, nz, frequencies;  // grid of the result; frequencies along z
    const double *kx, *ky, *kz;
    const uint8_t *ambiguous_x, *ambiguous_y;
    int64_t ambiguous_z;  // of the last frequency
    const T* radial;      // (nx, ny, frequencies)
    int64_t order;

    std::vector<int64_t> kept_y() const {
        std::vector<int64_t> kept;
        for (int64_t y = 0; y < ny; ++y)
            if (rows_y[y] >= 0) kept.push_back(y);
        return kept;
    }
    int64_t blocks() const { return (frequencies + LANES<T> - 1) / LANES<T>; }
};

template <class T>
struct Scratch {
    explicit Scratch(int64_t size)
        : data(static_cast<Complex<T>*>(::operator new(size * sizeof(Complex<T>), std::align_val_t(64)))) {}
    ~Scratch() { ::operator delete(data, std::align_val_t(64)); }
    Scratch(const Scratch&) = delete;
    Complex<T>* data;
};

// Source times radial factor times i^l, [kept y][block of z][x].
template <class T>
void weigh(const Convolution<T>& c, const std::vector<int64_t>& kept, Complex<T>* weighed, int64_t threads) {
    in_parallel(int64_t(kept.size()), 1, threads, [&](int64_t begin, int64_t end, int64_t) {
        for (int64_t y = begin; y < end; ++y)
            for (int64_t block = 0; block < c.blocks(); ++block)
                for (int64_t x = 0; x < c.nx; ++x) {
                    Complex<T>& to = weighed[(y * c.blocks() + block) * c.nx + x];
                    to.re = to.im = V<T>{};
                    if (c.rows_x[x] < 0) continue;
                    const int64_t first = block * LANES<T>, size = std::min(LANES<T>, c.frequencies - first);
                    const T* from = c.source + 2 * ((c.rows_x[x] * c.source_y + c.rows_y[kept[y]]) * c.source_z + first);
                    const T* by = c.radial + (x * c.ny + kept[y]) * c.frequencies + first;
                    alignas(64) T re[LANES<T>] = {}, im[LANES<T>] = {};
                    for (int64_t z = 0; z < size; ++z) re[z] = by[z] * from[2 * z], im[z] = by[z] * from[2 * z + 1];
                    const V<T> real = *reinterpret_cast<V<T>*>(re), imaginary = *reinterpret_cast<V<T>*>(im);
                    to.re = c.order % 2 ? imaginary : real;  // times -i
                    to.im = c.order % 2 ? -real : imaginary;
                }
    });
}

// Times the real solid harmonic (l, m), and from k_x to x: [x][kept y][block of z]. coefficients[s] belongs to
// k_z^(l - |m| - 2 s) (k_x^2 + k_y^2)^s.
template <class T>
void along_x(const Convolution<T>& c, const std::vector<int64_t>& kept, const Complex<T>* weighed, int64_t m,
             const double* coefficients, Complex<T>* out, int64_t threads) {
    const int64_t power = std::abs(m), degree = c.order - power, blocks = c.blocks();
    const InverseFft<T> fft(c.nx);
    std::vector<V<T>> z(blocks), squared(blocks), last(blocks);  // last: 0 for an ambiguous frequency that must vanish
    for (int64_t i = 0; i < blocks * LANES<T>; ++i) {
        const double k = i < c.frequencies ? c.kz[i] : 0;
        z[i / LANES<T>][i % LANES<T>] = T(k);
        squared[i / LANES<T>][i % LANES<T>] = T(k * k);
        last[i / LANES<T>][i % LANES<T>] = i == c.frequencies - 1 && c.ambiguous_z && degree % 2 ? T(0) : T(1);
    }
    const bool odd_x = m >= 0 ? power % 2 == 1 : power % 2 == 0, odd_y = m < 0;
    in_parallel(int64_t(kept.size()), 1, threads, [&](int64_t begin, int64_t end, int64_t) {
        Scratch<T> first(c.nx), second(c.nx);
        const int64_t terms = degree / 2 + 1;
        std::vector<T> factors(c.nx * terms);
        for (int64_t row = begin; row < end; ++row) {
            const double y = c.ky[kept[row]];
            for (int64_t i = 0; i < c.nx; ++i) {
                const double x = c.kx[i];
                double cosine = 1, sine = 0;  // (x + i y)^|m|
                for (int64_t p = 0; p < power; ++p) {
                    const double next = cosine * x - sine * y;
                    sine = sine * x + cosine * y;
                    cosine = next;
                }
                double factor = m >= 0 ? cosine : sine;
                // At the highest frequency of an even grid a function odd along that axis has no value of its own.
                if ((c.ambiguous_x[i] && odd_x) || (c.ambiguous_y[kept[row]] && odd_y)) factor = 0;
                for (int64_t s = 0; s < terms; ++s, factor *= x * x + y * y)
                    factors[i * terms + s] = T(coefficients[s] * factor);
            }
            for (int64_t block = 0; block < blocks; ++block) {
                const Complex<T>* from = weighed + (row * blocks + block) * c.nx;
                const V<T> odd = degree % 2 ? z[block] * last[block] : last[block];
                for (int64_t i = 0; i < c.nx; ++i) {
                    const T* f = factors.data() + i * terms;
                    V<T> value = V<T>{} + f[0];
                    for (int64_t s = 1; s < terms; ++s) value = value * squared[block] + f[s];
                    value *= odd;
                    first.data[i] = {from[i].re * value, from[i].im * value};
                }
                const Complex<T>* done = fft(first.data, second.data);
                for (int64_t i = 0; i < c.nx; ++i) out[(i * int64_t(kept.size()) + row) * blocks + block] = done[i];
            }
        }
    });
}

enum Store { FIELD, SQUARE, ADD_SQUARE };

template <class T>
inline void put(Store store, T* to, const T* values, int64_t size) {
    if (store == FIELD)
        for (int64_t i = 0; i < size; ++i) to[i] = values[i];
    else if (store == SQUARE)
        for (int64_t i = 0; i < size; ++i) to[i] = values[i] * values[i];
    else
        for (int64_t i = 0; i < size; ++i) to[i] += values[i] * values[i];
}

// From k_y and k_z to y and z, plane by plane. Rows along z are real, so that two make one complex sequence.
template <class T>
void along_y_and_z(const Convolution<T>& c, const std::vector<int64_t>& kept, const Complex<T>* in, Store store, T* out,
                   int64_t threads) {
    constexpr int64_t N = LANES<T>;
    const InverseFft<T> fft_y(c.ny), fft_z(c.nz);
    const int64_t blocks = c.blocks(), rows = int64_t(kept.size());
    const int64_t groups = (c.ny + 2 * N - 1) / (2 * N);
    in_parallel(c.nx, 1, threads, [&](int64_t begin, int64_t end, int64_t) {
        const int64_t longest = std::max(c.ny, c.nz + N);
        Scratch<T> first(longest), second(longest), plane(groups * 2 * N * blocks);
        for (int64_t i = c.ny * blocks; i < groups * 2 * N * blocks; ++i) plane.data[i] = {V<T>{}, V<T>{}};
        for (int64_t x = begin; x < end; ++x) {
            const Complex<T>* from = in + x * rows * blocks;
            for (int64_t block = 0; block < blocks; ++block) {
                if (rows < c.ny)
                    for (int64_t y = 0; y < c.ny; ++y) first.data[y] = {V<T>{}, V<T>{}};
                for (int64_t row = 0; row < rows; ++row) first.data[kept[row]] = from[row * blocks + block];
                const Complex<T>* done = fft_y(first.data, second.data);
                for (int64_t y = 0; y < c.ny; ++y) plane.data[y * blocks + block] = done[y];
            }
            for (int64_t y = 0; y < c.ny; y += 2 * N) {
                const Complex<T>*a = plane.data + y * blocks, *b = a + N * blocks;
                for (int64_t z = c.frequencies; z <= c.nz - c.frequencies; ++z) first.data[z] = {V<T>{}, V<T>{}};
                for (int64_t block = 0; block < blocks; ++block) {
                    V<T> a_re[N], a_im[N], b_re[N], b_im[N];
                    for (int64_t i = 0; i < N; ++i) {
                        a_re[i] = a[i * blocks + block].re;
                        a_im[i] = a[i * blocks + block].im;
                        b_re[i] = b[i * blocks + block].re;
                        b_im[i] = b[i * blocks + block].im;
                    }
                    transpose<T>(a_re);
                    transpose<T>(a_im);
                    transpose<T>(b_re);
                    transpose<T>(b_im);
                    const int64_t size = std::min(N, c.frequencies - block * N);
                    for (int64_t i = 0; i < size; ++i) {
                        const int64_t k = block * N + i;
                        if (k == 0 || 2 * k == c.nz) {  // the coefficient of a real sequence is real there
                            first.data[k] = {a_re[i], b_re[i]};
                            continue;
                        }
                        first.data[k] = {a_re[i] - b_im[i], a_im[i] + b_re[i]};
                        first.data[c.nz - k] = {a_re[i] + b_im[i], b_re[i] - a_im[i]};
                    }
                }
                const Complex<T>* done = fft_z(first.data, second.data);
                for (int64_t z = 0; z < c.nz; z += N) {
                    const int64_t size = std::min(N, c.nz - z);
                    V<T> re[N], im[N];
                    for (int64_t i = 0; i < N; ++i) {
                        re[i] = i < size ? done[z + i].re : V<T>{};
                        im[i] = i < size ? done[z + i].im : V<T>{};
                    }
                    transpose<T>(re);
                    transpose<T>(im);
                    for (int64_t i = 0; i < N; ++i) {
                        if (y + i < c.ny)
                            put(store, out + (x * c.ny + y + i) * c.nz + z, reinterpret_cast<const T*>(&re[i]), size);
                        if (y + N + i < c.ny)
                            put(store, out + (x * c.ny + y + N + i) * c.nz + z, reinterpret_cast<const T*>(&im[i]), size);
                    }
                }
            }
        }
    });
}

// Fields for m = -l ... l in out[m + l], or the sum of their squares in out[0]. coefficients has l / 2 + 1 for each m.
template <class T>
void convolve(const Convolution<T>& c, const double* coefficients, int64_t sum_squares, T* const* out, int64_t threads) {
    const std::vector<int64_t> kept = c.kept_y();
    const int64_t size = c.nx * int64_t(kept.size()) * c.blocks();
    Scratch<T> weighed(size), transformed(size);
    weigh(c, kept, weighed.data, threads);
    for (int64_t i = 0; i <= 2 * c.order; ++i) {
        along_x(c, kept, weighed.data, i - c.order, coefficients + i * (c.order / 2 + 1), transformed.data, threads);
        const Store store = !sum_squares ? FIELD : i == 0 ? SQUARE : ADD_SQUARE;
        along_y_and_z(c, kept, transformed.data, store, out[sum_squares ? 0 : i], threads);
    }
}

template <class T>
double wide_sum(const T* values, int64_t n) {
    constexpr int64_t N = 16;
    double lanes[N] = {};
    int64_t i = 0;
    for (; i + N <= n; i += N)
        for (int64_t k = 0; k < N; ++k) lanes[k] += double(values[i + k]);
    double sum = 0;
    for (; i < n; ++i) sum += double(values[i]);
    for (double lane : lanes) sum += lane;
    return sum;
}

// sum -> sqrt(sum) in place, and the sums of its powers.
template <class T>
void modulus_and_sums(T* sum, int64_t n, const double* powers, int64_t n_powers, double* sums, int64_t threads) {
    threads = std::max<int64_t>(threads, 1);
    std::vector<double> partial(size_t(threads) * n_powers);
    double* parts = partial.data();
    in_parallel(n, BLOCK, threads, [=](int64_t begin, int64_t end, int64_t thread) {
        T power[BLOCK];
        double* own = parts + thread * n_powers;
        for (int64_t start = begin; start < end; start += BLOCK) {
            const int64_t size = std::min(BLOCK, end - start);
            T* u = sum + start;
            for (int64_t p = 0; p < n_powers; ++p)
                if (powers[p] == 2) own[p] += wide_sum(u, size);
            for (int64_t i = 0; i < size; ++i) u[i] = std::sqrt(u[i]);
            for (int64_t p = 0; p < n_powers; ++p) {
                if (powers[p] == 2) continue;
                if (powers[p] == 1) {
                    own[p] += wide_sum(u, size);
                    continue;
                }
                if (powers[p] == 0.5)
                    for (int64_t i = 0; i < size; ++i) power[i] = std::sqrt(u[i]);
                else
                    for (int64_t i = 0; i < size; ++i) power[i] = T(std::pow(double(u[i]), powers[p]));
                own[p] += wide_sum(power, size);
            }
        }
    });
    for (int64_t p = 0; p < n_powers; ++p) {
        sums[p] = 0;
        for (int64_t thread = 0; thread < threads; ++thread) sums[p] += parts[thread * n_powers + p];
    }
}

}  // namespace

#define FOR_TYPE(T)                                                                                                     \
    EXPORT void convolve_##T(const T* source, int64_t source_y, int64_t source_z, const int64_t* rows_x,               \
                             const int64_t* rows_y, int64_t nx, int64_t ny, int64_t nz, int64_t frequencies,           \
                             const double* kx, const double* ky, const double* kz, const uint8_t* ambiguous_x,         \
                             const uint8_t* ambiguous_y, int64_t ambiguous_z, const T* radial, int64_t order,          \
                             const double* coefficients, int64_t sum_squares, T* const* out, int64_t threads) {        \
        convolve<T>({source, source_y, source_z, rows_x, rows_y, nx, ny, nz, frequencies, kx, ky, kz, ambiguous_x,     \
                     ambiguous_y, ambiguous_z, radial, order},                                                         \
                    coefficients, sum_squares, out, threads);                                                          \
    }                                                                                                                  \
    EXPORT void modulus_and_sums_##T(T* sum, int64_t n, const double* powers, int64_t n_powers, double* sums,          \
                                     int64_t threads) {                                                                \
        modulus_and_sums(sum, n, powers, n_powers, sums, threads);                                                     \
    }

FOR_TYPE(float)
FOR_TYPE(double)
