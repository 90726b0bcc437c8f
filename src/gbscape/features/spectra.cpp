// Passes over half spectra and fields that plain array operations would make several of: crop and weigh a spectrum,
// multiply it by a real solid harmonic, sum squares, take the root and sum its powers, and combine the fields of one order
// to those of many directions. All arrays are contiguous; complex numbers are pairs.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr int64_t LANES = 16;
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

template <class T>
void weigh(const T* source, int64_t source_y, int64_t source_z, const int64_t* rows_x, const int64_t* rows_y,
           int64_t nx, int64_t ny, int64_t nz, const T* weight, int64_t times_minus_i, T* out, int64_t threads) {
    in_parallel(nx * ny, 1, threads, [=](int64_t begin, int64_t end, int64_t) {
        for (int64_t row = begin; row < end; ++row) {
            const int64_t x = rows_x[row / ny], y = rows_y[row % ny];
            T* to = out + 2 * nz * row;
            if (x < 0 || y < 0) {
                std::memset(to, 0, 2 * nz * sizeof(T));
                continue;
            }
            const T* from = source + 2 * source_z * (x * source_y + y);
            const T* by = weight + nz * row;
            if (times_minus_i)
                for (int64_t z = 0; z < nz; ++z) {
                    to[2 * z] = by[z] * from[2 * z + 1];
                    to[2 * z + 1] = -by[z] * from[2 * z];
                }
            else
                for (int64_t z = 0; z < nz; ++z) {
                    to[2 * z] = by[z] * from[2 * z];
                    to[2 * z + 1] = by[z] * from[2 * z + 1];
                }
        }
    });
}

// coefficients[s] belongs to k_z^(degree - 2 s) (k_x^2 + k_y^2)^s.
template <class T>
void times_harmonic(const T* spectrum, const int64_t* rows_x, const int64_t* rows_y, const double* kx, const double* ky,
                    const double* kz, const uint8_t* nyquist_x, const uint8_t* nyquist_y, int64_t nyquist_z, int64_t nx,
                    int64_t ny, int64_t nz, int64_t m, int64_t degree, const double* coefficients, T* out, int64_t threads) {
    const int64_t order = std::abs(m);
    in_parallel(nx * ny, 1, threads, [=](int64_t begin, int64_t end, int64_t) {
        std::vector<T> z(nz), squared(nz), polynomial(2 * nz);
        for (int64_t i = 0; i < nz; ++i) z[i] = T(kz[i]), squared[i] = T(kz[i] * kz[i]);
        std::vector<T> c(degree / 2 + 1);
        for (int64_t row = begin; row < end; ++row) {
            const int64_t ix = row / ny, iy = row % ny;
            const double x = kx[ix], y = ky[iy];
            double cosine = 1, sine = 0;  // (x + i y)^order
            for (int64_t power = 0; power < order; ++power) {
                const double next = cosine * x - sine * y;
                sine = sine * x + cosine * y;
                cosine = next;
            }
            const double azimuthal = m >= 0 ? cosine : sine;
            const bool odd_x = m >= 0 ? order % 2 == 1 : order % 2 == 0, odd_y = m < 0;
            T* to = out + 2 * nz * row;
            // At the highest frequency of an even grid a function odd along that axis has no value of its own.
            if (rows_x[ix] < 0 || rows_y[iy] < 0 || azimuthal == 0 || (nyquist_x[ix] && odd_x) ||
                (nyquist_y[iy] && odd_y)) {
                std::memset(to, 0, 2 * nz * sizeof(T));
                continue;
            }
            double power = azimuthal;
            for (int64_t s = 0; s <= degree / 2; ++s, power *= x * x + y * y) c[s] = T(coefficients[s] * power);
            T* p = polynomial.data();
            for (int64_t i = 0; i < nz; ++i) {
                T value = c[0];
                for (int64_t s = 1; s <= degree / 2; ++s) value = value * squared[i] + c[s];
                p[2 * i] = p[2 * i + 1] = degree % 2 ? value * z[i] : value;
            }
            if (nyquist_z && degree % 2) p[2 * nz - 2] = p[2 * nz - 1] = 0;
            const T* from = spectrum + 2 * nz * row;
            for (int64_t i = 0; i < 2 * nz; ++i) to[i] = from[i] * p[i];
        }
    });
}

template <class T>
void add_squares(const T* field, int64_t n, int64_t first, T* sum, int64_t threads) {
    in_parallel(n, BLOCK, threads, [=](int64_t begin, int64_t end, int64_t) {
        if (first)
            for (int64_t i = begin; i < end; ++i) sum[i] = field[i] * field[i];
        else
            for (int64_t i = begin; i < end; ++i) sum[i] += field[i] * field[i];
    });
}

template <class T>
double wide_sum(const T* values, int64_t n) {
    double lanes[LANES] = {};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int64_t k = 0; k < LANES; ++k) lanes[k] += double(values[i + k]);
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

#define FOR_TYPE(T, SUFFIX)                                                                                             \
    EXPORT void weigh_##SUFFIX(const T* source, int64_t source_y, int64_t source_z, const int64_t* rows_x,             \
                               const int64_t* rows_y, int64_t nx, int64_t ny, int64_t nz, const T* weight,             \
                               int64_t times_minus_i, T* out, int64_t threads) {                                               \
        weigh(source, source_y, source_z, rows_x, rows_y, nx, ny, nz, weight, times_minus_i, out, threads);            \
    }                                                                                                                  \
    EXPORT void times_harmonic_##SUFFIX(const T* spectrum, const int64_t* rows_x, const int64_t* rows_y,               \
                                        const double* kx, const double* ky, const double* kz,                          \
                                        const uint8_t* nyquist_x, const uint8_t* nyquist_y, int64_t nyquist_z, int64_t nx, \
                                        int64_t ny, int64_t nz, int64_t m, int64_t degree, const double* coefficients, T* out, \
                                        int64_t threads) {                                                                 \
        times_harmonic(spectrum, rows_x, rows_y, kx, ky, kz, nyquist_x, nyquist_y, nyquist_z, nx, ny, nz, m, degree,   \
                       coefficients, out, threads);                                                                    \
    }                                                                                                                  \
    EXPORT void add_squares_##SUFFIX(const T* field, int64_t n, int64_t first, T* sum, int64_t threads) {                      \
        add_squares(field, n, first, sum, threads);                                                                    \
    }                                                                                                                  \
    EXPORT void modulus_and_sums_##SUFFIX(T* sum, int64_t n, const double* powers, int64_t n_powers, double* sums,         \
                                          int64_t threads) {                                                               \
        modulus_and_sums(sum, n, powers, n_powers, sums, threads);                                                     \
    }

FOR_TYPE(float, float)
FOR_TYPE(double, double)
