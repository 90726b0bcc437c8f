// SOAP power spectra: neighbours from a cell list, radial functions from a cubic Hermite table, real spherical harmonics
// by recurrence, all of one angular momentum after the other so that what is in work stays in the first-level cache.
//
// Real harmonics are kept as y_l, m-th column Q_lm(z) times Re or Im (x + iy)^m, rows in the order m = 0, 1 cos, 1 sin,
// 2 cos, ..., so that a row's number does not depend on l. Q is scaled such that its recurrence reads
// Q_l = kappa z Q_(l-1) - Q_(l-2); the norms that this leaves out enter with the coefficients, once an atom.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>

#include "cell_list.hpp"

using gbscape::ACCUMULATORS;
using gbscape::CellList;
using gbscape::LANES;
using gbscape::load;
using gbscape::Neighbours;
using gbscape::store;
using gbscape::Structure;
using gbscape::vec;

namespace {

constexpr int BLOCK = 64;  // neighbours in work at once
constexpr int MOST_CHANNELS = 127;
enum Outcome { DONE = 0, FAILED = 1, COINCIDENT = 2 };
constexpr int MOST_RADIAL_VECTORS = 40 / LANES;

int padded(int n) { return (n + LANES - 1) / LANES * LANES; }
int64_t padded64(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

// c[m][v] += sum_j r[j][v] y[m][j] for M rows and NV vectors of columns
template <int NV, int M>
void multiply_add(const double *r, int64_t r_stride, const double *y, int64_t y_stride, int64_t count, double *c,
                  int64_t c_stride) {
    vec sum[M][NV];
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < NV; ++v) sum[m][v] = load(c + m * c_stride + v * LANES);
    for (int64_t j = 0; j < count; ++j, r += r_stride) {
        vec row[NV];
        for (int v = 0; v < NV; ++v) row[v] = load(r + v * LANES);
        for (int m = 0; m < M; ++m) {
            const double factor = y[m * y_stride + j];
            for (int v = 0; v < NV; ++v) sum[m][v] += row[v] * factor;
        }
    }
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < NV; ++v) store(c + m * c_stride + v * LANES, sum[m][v]);
}

template <int NV> constexpr int rows_at_once() { return ACCUMULATORS / NV < 1 ? 1 : std::min(ACCUMULATORS / NV, 12); }

template <int NV, int M = rows_at_once<NV>()>
void multiply_add_few(int rows, const double *r, int64_t r_stride, const double *y, int64_t y_stride, int64_t count,
                      double *c, int64_t c_stride) {
    if (rows == M) return multiply_add<NV, M>(r, r_stride, y, y_stride, count, c, c_stride);
    if constexpr (M > 1) multiply_add_few<NV, M - 1>(rows, r, r_stride, y, y_stride, count, c, c_stride);
}

template <int NV>
void multiply_add_all(int rows, const double *r, int64_t r_stride, const double *y, int64_t y_stride, int64_t count,
                      double *c, int64_t c_stride) {
    constexpr int most = rows_at_once<NV>();
    for (int passes = (rows + most - 1) / most; passes > 0; --passes) {
        const int now = (rows + passes - 1) / passes;
        multiply_add_few<NV>(now, r, r_stride, y, y_stride, count, c, c_stride);
        rows -= now, y += now * y_stride, c += now * c_stride;
    }
}

using MultiplyAdd = void (*)(int, const double *, int64_t, const double *, int64_t, int64_t, double *, int64_t);

template <int NV> void interpolate(const double *const *at, const double *weights, int64_t level, int count, double *r) {
    for (int j = 0; j < count; ++j) {
        const double *value = at[j], *h = weights + 4 * j;
        for (int v = 0; v < NV; ++v, value += LANES)
            store(r + (int64_t(j) * NV + v) * LANES, load(value) * h[0] + load(value + level) * h[1] +
                                                         load(value + 2 * level) * h[2] + load(value + 3 * level) * h[3]);
    }
}

using Interpolate = void (*)(const double *const *, const double *, int64_t, int, double *);

template <int NV> void pick(int wanted, MultiplyAdd &multiply, Interpolate &fill) {
    if (wanted == NV) multiply = multiply_add_all<NV>, fill = interpolate<NV>;
    else if constexpr (NV < MOST_RADIAL_VECTORS) pick<NV + 1>(wanted, multiply, fill);
}

// p[a][v] = sum_m c[m][a] c[m][v] for A rows from a on and NB vectors of columns from v on
template <int A, int NB>
void square_tile(const double *c, int64_t stride, int rows, int a, int v, double *p) {
    vec sum[A][NB] = {};
    for (int m = 0; m < rows; ++m, c += stride) {
        vec column[NB];
        for (int b = 0; b < NB; ++b) column[b] = load(c + v + b * LANES);
        for (int i = 0; i < A; ++i)
            for (int b = 0; b < NB; ++b) sum[i][b] += column[b] * c[a + i];
    }
    for (int i = 0; i < A; ++i)
        for (int b = 0; b < NB; ++b) store(p + (a + i) * stride + v + b * LANES, sum[i][b]);
}

template <int NB, int A = LANES>
void square_rows(int height, const double *c, int64_t stride, int rows, int a, int v, double *p) {
    if (height == A) return square_tile<A, NB>(c, stride, rows, a, v, p);
    if constexpr (A > 1) square_rows<NB, A - 1>(height, c, stride, rows, a, v, p);
}

// The lower triangle (and what shares a vector with it) of the matrix of squares.
void square(const double *c, int64_t stride, int n, int rows, double *p) {
    constexpr int widest = ACCUMULATORS / LANES;
    for (int a = 0; a < n; a += LANES) {
        const int height = std::min(LANES, n - a);
        for (int v = 0; v <= a;) {
            const int left = (a - v) / LANES + 1;
            if (widest >= 3 && left >= 3) square_rows<3>(height, c, stride, rows, a, v, p), v += 3 * LANES;
            else if (left >= 2 && widest >= 2) square_rows<2>(height, c, stride, rows, a, v, p), v += 2 * LANES;
            else square_rows<1>(height, c, stride, rows, a, v, p), v += LANES;
        }
    }
}

// rows[q][lane] -> rows[lane][q]
inline void transpose(vec *rows) {
#if defined(__AVX512F__)
    const __m512i low = _mm512_setr_epi64(0, 8, 2, 10, 4, 12, 6, 14), high = _mm512_setr_epi64(1, 9, 3, 11, 5, 13, 7, 15);
    const __m512i low2 = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13), high2 = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    __m512d t[8], u[8];
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm512_permutex2var_pd(__m512d(rows[i]), low, __m512d(rows[i + 1]));
        t[i + 1] = _mm512_permutex2var_pd(__m512d(rows[i]), high, __m512d(rows[i + 1]));
    }
    for (int i = 0; i < 8; i += 4)
        for (int k = 0; k < 2; ++k) {
            u[i + k] = _mm512_permutex2var_pd(t[i + k], low2, t[i + 2 + k]);
            u[i + 2 + k] = _mm512_permutex2var_pd(t[i + k], high2, t[i + 2 + k]);
        }
    for (int i = 0; i < 4; ++i) {
        rows[i] = vec(_mm512_shuffle_f64x2(u[i], u[i + 4], 0x44));
        rows[i + 4] = vec(_mm512_shuffle_f64x2(u[i], u[i + 4], 0xee));
    }
#else
    vec turned[LANES];
    for (int i = 0; i < LANES; ++i)
        for (int k = 0; k < LANES; ++k) turned[i][k] = rows[k][i];
    for (int i = 0; i < LANES; ++i) rows[i] = turned[i];
#endif
}

struct Aligned {  // doubles on a cache line
    std::unique_ptr<double, void (*)(void *)> data{nullptr, std::free};
    Aligned() = default;
    explicit Aligned(int64_t n) {
        const size_t bytes = (size_t(n) * 8 + 63) / 64 * 64 + 64;
        data.reset(static_cast<double *>(std::aligned_alloc(64, bytes)));
        if (!data) throw std::bad_alloc();
        std::memset(data.get(), 0, bytes);
    }
    operator double *() const { return data.get(); }
};

struct Plan {  // mirrored by soap_native.py
    int32_t n_max, l_max, n_channels, normalise;
    double cutoff, transition_width;
    const double *table;  // (n_points, 2, l_max + 1, padded n_max): see radial_basis.HermiteTable
    double inverse_step;
    int32_t n_points;
    int32_t unused;
    const double *central;  // (n_max,)
};

// What is the same for all atoms.
struct Expansion {
    Plan plan;
    int width, n_rows, n_all, stride;  // padded n_max; (l_max + 1)^2; n_max of all channels; the same padded
    int64_t n_features;
    std::vector<double> kappa, norm;  // norm: of each row of coefficients, times (4 / (2 l + 1))^(1/4)
    MultiplyAdd multiply = nullptr;
    Interpolate fill = nullptr;

    explicit Expansion(const Plan &given) : plan(given) {
        const int l_max = plan.l_max;
        width = padded(plan.n_max), n_rows = (l_max + 1) * (l_max + 1);
        n_all = plan.n_max * plan.n_channels, stride = padded(n_all);
        n_features = int64_t(n_all) * (n_all + 1) / 2 * (l_max + 1) + 1;
        pick<1>(width / LANES, multiply, fill);
        kappa.assign(n_rows, 0), norm.assign(n_rows, 0);
        for (int m = 0; m <= l_max; ++m) {
            // P_lm = (2 m - 1)!! g_l y_l; (l - m) P_l = (2 l - 1) z P_(l-1) - (l + m - 1) P_(l-2)
            double odd = 1, before = 1, g = 1;
            for (int k = 1; k <= m; ++k) odd *= 2 * k - 1;
            for (int l = m; l <= l_max; ++l) {
                if (l > m) {
                    const double next = l == m + 1 ? 2 * m + 1 : before * (l + m - 1) / (l - m);
                    kappa[l * (l_max + 1) + m] = (2 * l - 1) * g / ((l - m) * next);
                    before = g, g = next;
                }
                double squared = (2 * l + 1) / (4 * M_PI) * (m ? 2 : 1);
                for (int k = l - m + 1; k <= l + m; ++k) squared /= k;
                const double factor = std::sqrt(squared) * odd * g * std::pow(4.0 / (2 * l + 1) / 2, 0.25);
                norm[l * l + (m ? 2 * m - 1 : 0)] = factor;
                norm[l * l + 2 * m] = factor;
            }
        }
    }

    int64_t coefficients() const { return int64_t(plan.n_channels) * n_rows * width; }
};

// The room in which one thread works.
struct Worker {
    const Expansion &expansion;
    Neighbours found, sorted;
    Aligned harmonics[2], radial, weights, unit, c, rows, squares, flat;
    const double *table_rows[BLOCK];
    Aligned scratch;
    int64_t scratch_size = 0;

    explicit Worker(const Expansion &e)
        : expansion(e), harmonics{Aligned((2 * e.plan.l_max + 1) * BLOCK), Aligned((2 * e.plan.l_max + 1) * BLOCK)},
          radial(BLOCK * e.width), weights(4 * BLOCK), unit(3 * BLOCK), c(e.coefficients()),
          rows(int64_t(e.n_rows) * e.stride), squares(int64_t(e.plan.l_max + 1) * padded(e.n_all) * e.stride),
          flat(e.n_features + LANES * LANES) {
        found.reserve(512), sorted.reserve(512);
    }

    // Scratch for n doubles.
    double *room(int64_t n) {
        if (n > scratch_size) scratch = Aligned(n), scratch_size = n;
        return scratch;
    }

    void clear() { std::memset(c, 0, expansion.coefficients() * 8); }

    // Adds neighbours of one channel to its coefficients; `step` 2: even l only.
    void accumulate(const double *x, const double *y, const double *z, size_t count, int channel, int step) {
        double *to = c + int64_t(channel) * expansion.n_rows * expansion.width;
        for (size_t first = 0; first < count; first += BLOCK)
            accumulate_block(x + first, y + first, z + first, int(std::min<size_t>(BLOCK, count - first)), to, step);
    }

    void accumulate_block(const double *x, const double *y, const double *z, int count, double *to, int step) {
        const Plan &plan = expansion.plan;
        const int l_max = plan.l_max, width = expansion.width, lanes = padded(count);
        const int64_t level = int64_t(l_max + 1) * width;
        prepare(x, y, z, count, level);
        const double *ux = unit, *uy = ux + BLOCK, *uz = uy + BLOCK;
        for (int l = 0; l <= l_max; ++l) {
            double *now = harmonics[l & 1];
            advance(l, now, harmonics[1 - (l & 1)], ux, uy, uz, lanes);
            if (l % step) continue;
            expansion.fill(table_rows, weights, level, count, radial);
            for (int j = 0; j < count; ++j) table_rows[j] += step * width;
            expansion.multiply(2 * l + 1, radial, width, now, BLOCK, count, to + int64_t(l) * l * width, width);
        }
    }

    // Unit vectors, places in the table and the four weights of each neighbour.
    void prepare(const double *x, const double *y, const double *z, int count, int64_t level) {
        const Plan &plan = expansion.plan;
        double *ux = unit, *uy = ux + BLOCK, *uz = uy + BLOCK;
        const double inside = plan.cutoff - plan.transition_width;
        for (int j = 0; j < count; ++j) {
            const double r = std::sqrt(x[j] * x[j] + y[j] * y[j] + z[j] * z[j]), inverse = 1 / r;
            ux[j] = x[j] * inverse, uy[j] = y[j] * inverse, uz[j] = z[j] * inverse;
            const double place = r * plan.inverse_step;
            const int k = std::min(int(place), plan.n_points - 2);
            const double t = place - k;
            double fade = 1;
            if (r > inside) fade = 0.5 * (1 + std::cos(M_PI * (r - inside) / plan.transition_width));
            table_rows[j] = plan.table + 2 * level * k;
            double *h = weights + 4 * j;
            h[0] = fade * (1 + 2 * t) * (1 - t) * (1 - t), h[1] = fade * t * (1 - t) * (1 - t);
            h[2] = fade * t * t * (3 - 2 * t), h[3] = fade * t * t * (t - 1);
        }
        for (int j = count; j < padded(count); ++j) ux[j] = uy[j] = 0, uz[j] = 1;
    }

    // Turns the harmonics of l - 2 (in `now`) into those of l.
    void advance(int l, double *now, const double *before, const double *ux, const double *uy, const double *uz, int lanes) {
        const double *kappa = expansion.kappa.data() + l * (expansion.plan.l_max + 1);
        if (l == 0) {
            for (int j = 0; j < lanes; ++j) now[j] = 1;
            return;
        }
        const double *top = before + (l == 1 ? 0 : 2 * l - 3) * BLOCK;
        double *first = now + (2 * l - 1) * BLOCK, *second = first + BLOCK;
        for (int j = 0; j < lanes; j += LANES) {
            const vec x = load(ux + j), y = load(uy + j), z = load(uz + j);
            for (int m = 0; m < l; ++m) {
                const vec factor = z * kappa[m];
                for (int row = m ? 2 * m - 1 : 0; row <= 2 * m; ++row) {
                    double *at = now + row * BLOCK + j;
                    const vec up = factor * load(before + row * BLOCK + j);
                    store(at, m < l - 1 ? up - load(at) : up);
                }
            }
            const vec cosine = load(top + j), sine = l == 1 ? cosine - cosine : load(top + BLOCK + j);
            store(first + j, x * cosine - y * sine);
            store(second + j, y * cosine + x * sine);
        }
    }

    // Power spectrum of the coefficients `from` into `flat`; `central`: channels that the centre adds itself to.
    void finish(const double *from, const double *central_weights) {
        const Plan &plan = expansion.plan;
        const int n = plan.n_max, width = expansion.width, all = expansion.n_all, l_max = plan.l_max;
        const int64_t stride = expansion.stride, area = int64_t(padded(all)) * stride;
        for (int s = 0; s < plan.n_channels; ++s)
            for (int row = 0; row < expansion.n_rows; ++row) {
                const double *source = from + (int64_t(s) * expansion.n_rows + row) * width;
                double *target = rows + row * stride + s * n;
                for (int a = 0; a < n; ++a) target[a] = source[a] * expansion.norm[row];
            }
        for (int s = 0; s < plan.n_channels; ++s)
            for (int a = 0; a < n; ++a) rows[s * n + a] += central_weights[s] * plan.central[a] * std::pow(2.0, 0.25);
        for (int l = 0; l <= l_max; ++l) {
            double *p = squares + l * area;
            square(rows + int64_t(l) * l * stride, stride, all, 2 * l + 1, p);
            for (int a = 0; a < all; ++a) p[a * stride + a] *= M_SQRT1_2;
        }
        // (l, a, b) -> (a, b, l); what a vector holds beyond l_max is overwritten by the vectors stored after it
        const int levels = l_max + 1;
        double *out = flat;
        for (int a = 0; a < all; ++a) {
            for (int b = 0; b <= a; b += LANES) {
                const int columns = std::min(LANES, a - b + 1);
                for (int l = (levels - 1) / LANES * LANES; l >= 0; l -= LANES) {
                    vec tile[LANES];
                    for (int q = 0; q < LANES; ++q)
                        tile[q] = l + q < levels ? load(squares + (l + q) * area + a * stride + b) : vec{};
                    transpose(tile);
                    for (int q = 0; q < columns; ++q) store(out + (b + q) * levels + l, tile[q]);
                }
            }
            out += (a + 1) * levels;
        }
        flat[expansion.n_features - 1] = 0;
    }

    // Writes `flat`, divided by its norm if so wished.
    void write(double *out) const {
        const int64_t n = expansion.n_features;
        double factor = 1;
        if (expansion.plan.normalise) {
            for (int64_t k = n; k < padded64(n); ++k) flat[k] = 0;
            vec sum[4] = {};
            int64_t k = 0;
            for (; k + 4 * LANES <= n; k += 4 * LANES)
                for (int q = 0; q < 4; ++q) sum[q] += load(flat + k + q * LANES) * load(flat + k + q * LANES);
            for (; k < n; k += LANES) sum[0] += load(flat + k) * load(flat + k);
            const vec total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
            double squared = 0;
            for (int q = 0; q < LANES; ++q) squared += total[q];
            factor = squared > 0 ? 1 / std::sqrt(squared) : 0;
        }
        int64_t k = 0;
        for (; k + LANES <= n; k += LANES) store(out + k, load(flat + k) * factor);
        for (; k < n; ++k) out[k] = flat[k] * factor;
    }
};

// Runs task(worker, chunk) for every chunk, by threads that take the next one when they are done.
template <class Task> void in_parallel(const Expansion &expansion, int64_t n_chunks, int n_threads, Task task) {
    std::atomic<int64_t> next{0};
    std::exception_ptr failure;
    std::atomic<bool> failed{false};
    auto run = [&] {
        try {
            Worker worker(expansion);
            for (int64_t chunk; !failed && (chunk = next++) < n_chunks;) task(worker, chunk);
        } catch (...) {
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    for (int64_t i = 1; i < std::min<int64_t>(n_threads, n_chunks); ++i) others.emplace_back(run);
    run();
    for (auto &thread : others) thread.join();
    if (failed) std::rethrow_exception(failure);
}

struct Coincidence {  // thrown: this atom and another are at one place
    int64_t structure, atom;
};

struct Soap {  // a structure and its centres, ready
    Structure structure;
    std::vector<int64_t> centres;
    CellList cells;
    Soap(const Structure &given, const int64_t *chosen, int64_t n, double cutoff)
        : structure(given), centres(chosen, chosen + n), cells(given, chosen, n, cutoff) {}

    // Coefficients of the centre at this place of the order of visits, into the worker; its channel.
    int expand(Worker &worker, int64_t visit, int step = 1) const {
        const Plan &plan = worker.expansion.plan;
        const int64_t atom = centres[cells.centre_at(visit)];
        const int channel = structure.channels[atom];
        double position[3];
        cells.wrapped(atom, position);
        Neighbours &found = worker.found;
        found.count = 0;
        if (cells.gather(position, found) > (channel >= 0)) throw Coincidence{0, atom};
        if (plan.n_channels == 1) {
            worker.accumulate(found.x.data(), found.y.data(), found.z.data(), found.count, 0, step);
            return 0;  // quippy's way: a single density holds the central atom whatever its species
        }
        Neighbours &sorted = worker.sorted;
        sorted.reserve(found.count);
        for (int s = 0; s < plan.n_channels; ++s) {
            size_t n = 0;
            for (size_t j = 0; j < found.count; ++j)
                if (found.channel[j] == s)
                    sorted.x[n] = found.x[j], sorted.y[n] = found.y[j], sorted.z[n] = found.z[j], ++n;
            worker.accumulate(sorted.x.data(), sorted.y.data(), sorted.z.data(), n, s, step);
        }
        return channel;
    }

    void spectrum(Worker &worker, int64_t visit) const {
        worker.clear();
        const int channel = expand(worker, visit);
        double central[MOST_CHANNELS] = {};
        if (channel >= 0) central[channel] = 1;
        worker.finish(worker.c, central);
    }

    // Throws the first centre that coincides with an atom.
    void find_coincidence(Worker &worker) const {
        for (int64_t atom : centres) {
            double position[3];
            cells.wrapped(atom, position);
            worker.found.count = 0;
            if (cells.gather(position, worker.found) > (structure.channels[atom] >= 0)) throw Coincidence{0, atom};
        }
    }

    bool all_alike() const {  // every atom is a centre and a neighbour
        if (int64_t(centres.size()) != structure.n) return false;
        return std::all_of(structure.channels, structure.channels + structure.n, [](int8_t c) { return c == 0; });
    }

    bool isolated() const { return !structure.periodic[0] && !structure.periodic[1] && !structure.periodic[2]; }

    // Share of the centres in each channel.
    void central_weights(int n_channels, double *weights) const {
        std::fill(weights, weights + n_channels, 0.0);
        if (n_channels == 1) weights[0] = 1;
        else
            for (int64_t atom : centres)
                if (structure.channels[atom] >= 0) weights[structure.channels[atom]] += 1.0 / double(centres.size());
    }
};

// Whether half of the pairs will do: with one species, all of it centres and neighbours, the pair (i, j) adds to the sum of
// the coefficients what (j, i) does, times (-1)^l. Images would need a rule which half, safe from rounding.
bool half_pairs(const Soap &soap, const Expansion &e) {
    return e.plan.n_channels == 1 && soap.isolated() && soap.all_alike();
}

// Sum over the places [first, last) of the coefficients.
void add_coefficients(const Soap &soap, Worker &worker, int64_t first, int64_t last, double *sum) {
    const Expansion &e = worker.expansion;
    worker.clear();
    const bool half = half_pairs(soap, e);
    if (half) {
        Neighbours &found = worker.found;
        found.count = 0;
        double position[3];
        for (int64_t place = first; place < last; ++place) {
            soap.cells.sorted(place, position);
            if (soap.cells.gather(position, found, place) > 0) soap.find_coincidence(worker);
            if (found.count >= 16 * BLOCK || place + 1 == last) {
                worker.accumulate(found.x.data(), found.y.data(), found.z.data(), found.count, 0, 2);
                found.count = 0;
            }
        }
    } else {
        const int step = e.plan.n_channels == 1 && soap.all_alike() ? 2 : 1;  // odd l cancel
        for (int64_t visit = first; visit < last; ++visit) soap.expand(worker, visit, step);
    }
    for (int64_t k = 0; k < e.coefficients(); ++k) sum[k] += (half ? 2 : 1) * worker.c[k];
}

// Sum over the places [first, last) of the vectors.
void add_spectra(const Soap &soap, Worker &worker, int64_t first, int64_t last, double *sum) {
    const int64_t n = worker.expansion.n_features;
    std::vector<double> vector(n);
    for (int64_t visit = first; visit < last; ++visit) {
        soap.spectrum(worker, visit);
        worker.write(vector.data());
        for (int64_t k = 0; k < n; ++k) sum[k] += vector[k];
    }
}

int64_t sum_size(const Expansion &e, bool spectra) { return spectra ? e.n_features : e.coefficients(); }

void add_up(const Soap &soap, Worker &worker, bool spectra, int64_t first, int64_t last, double *sum) {
    if (spectra) add_spectra(soap, worker, first, last, sum);
    else add_coefficients(soap, worker, first, last, sum);
}

// The vector of the mean over the centres from the sum over them.
void finish_mean(const Soap &soap, Worker &worker, bool spectra, double *sum, double *out) {
    const Expansion &e = worker.expansion;
    const double share = 1 / double(soap.centres.size());
    for (int64_t k = 0; k < sum_size(e, spectra); ++k) sum[k] *= share;
    if (spectra) return void(std::copy(sum, sum + e.n_features, out));
    double central[MOST_CHANNELS];
    soap.central_weights(e.plan.n_channels, central);
    worker.finish(sum, central);
    worker.write(out);
}

// out[row] = vectors[row] . projection, a part of the features after the other so that their rows of it stay in the cache.
void project(const double *vectors, int64_t stride, int rows, int64_t n_features, const double *projection, int columns,
             double *out) {
    constexpr int part = 256, widest = LANES == 8 ? 5 : 3;
    std::fill(out, out + int64_t(rows) * columns, 0.0);
    for (int64_t first = 0; first < n_features; first += part) {
        const int64_t count = std::min<int64_t>(part, n_features - first);
        for (int column = 0; column < columns;) {
            const int width = std::min(widest, (columns - column) / LANES);
            MultiplyAdd multiply = nullptr;
            Interpolate unused = nullptr;
            pick<1>(width, multiply, unused);
            multiply(rows, projection + first * columns + column, columns, vectors + first, stride, count, out + column, columns);
            column += width * LANES;
        }
    }
}

thread_local char message[200];

template <class Body> int guarded(Body body) {
    try {
        body();
        return DONE;
    } catch (const Coincidence &found) {
        std::snprintf(message, sizeof message, "%lld %lld", (long long)found.structure, (long long)found.atom);
        return COINCIDENT;
    } catch (const std::exception &error) {
        std::snprintf(message, sizeof message, "%s", error.what());
        return FAILED;
    }
}

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED int soap_lanes() { return LANES; }

EXPORTED const char *soap_message() { return message; }

EXPORTED int soap_open(const Structure *structure, const int64_t *centres, int64_t n_centres, double cutoff, Soap **soap) {
    return guarded([&] { *soap = new Soap(*structure, centres, n_centres, cutoff); });
}

EXPORTED void soap_close(Soap *soap) { delete soap; }

// (n_centres,): which of the centres comes at each place of the order in which they are computed
EXPORTED void soap_order(const Soap *soap, int64_t *order) {
    for (int64_t visit = 0; visit < soap->cells.n_centres(); ++visit) order[visit] = soap->cells.centre_at(visit);
}

// Vectors of the centres at places [first, last) of that order; into the rows of `out` by their number among the centres
// (`by_centre`) or by place from first on. With a projection (n_features, padded columns): its `columns` instead.
EXPORTED int soap_spectra(const Soap *soap, const Plan *plan, int64_t first, int64_t last, int by_centre,
                          const double *projection, int columns, int n_threads, double *out) {
    return guarded([&] {
        constexpr int64_t chunk_size = 24;
        const Expansion e(*plan);
        const int64_t row_size = projection ? columns : e.n_features, stride = padded64(e.n_features) + LANES;
        const int wide = padded(columns);
        in_parallel(e, (last - first + chunk_size - 1) / chunk_size, n_threads, [&](Worker &worker, int64_t chunk) {
            const int64_t from = first + chunk * chunk_size, to = std::min(last, from + chunk_size);
            const auto row = [&](int64_t visit) {
                return out + (by_centre ? soap->cells.centre_at(visit) : visit - first) * row_size;
            };
            if (!projection) {
                for (int64_t visit = from; visit < to; ++visit) soap->spectrum(worker, visit), worker.write(row(visit));
                return;
            }
            double *vectors = worker.room(chunk_size * (stride + wide)), *projected = vectors + chunk_size * stride;
            for (int64_t visit = from; visit < to; ++visit) {
                soap->spectrum(worker, visit);
                worker.write(vectors + (visit - from) * stride);
            }
            project(vectors, stride, int(to - from), e.n_features, projection, wide, projected);
            for (int64_t visit = from; visit < to; ++visit)
                std::copy_n(projected + (visit - from) * wide, columns, row(visit));
        });
    });
}

EXPORTED int soap_mean(const Soap *soap, const Plan *plan, int spectra, int n_threads, double *out) {
    return guarded([&] {
        const Expansion e(*plan);
        const int64_t n = soap->cells.n_centres(), size = sum_size(e, spectra);
        const int64_t n_chunks = std::min<int64_t>(n, 64);  // fixed: the sum must not depend on the number of threads
        std::vector<double> sums(n_chunks * size, 0.0);
        in_parallel(e, n_chunks, n_threads, [&](Worker &worker, int64_t chunk) {
            add_up(*soap, worker, spectra, n * chunk / n_chunks, n * (chunk + 1) / n_chunks, sums.data() + chunk * size);
        });
        for (int64_t chunk = 1; chunk < n_chunks; ++chunk)
            for (int64_t k = 0; k < size; ++k) sums[k] += sums[chunk * size + k];
        Worker worker(e);
        finish_mean(*soap, worker, spectra, sums.data(), out);
    });
}

// Averaged vectors of many small structures, each by one thread. `offsets` (n + 1,) tell where each one's atoms lie in
// `positions`, `channels` and `is_centre`; each has a centre.
EXPORTED int soap_means(int64_t n_structures, const int64_t *offsets, const double *positions, const int8_t *channels,
                        const uint8_t *is_centre, const double *cells, const uint8_t *periodic, const double *scales,
                        const Plan *plan, int spectra, int n_threads, double *out) {
    return guarded([&] {
        const Expansion e(*plan);
        in_parallel(e, n_structures, n_threads, [&](Worker &worker, int64_t i) {
            const int64_t first = offsets[i], n = offsets[i + 1] - first;
            const Structure structure{positions + 3 * first, channels + first, n, cells + 9 * i, periodic + 3 * i, scales[i]};
            std::vector<int64_t> centres;
            for (int64_t atom = 0; atom < n; ++atom)
                if (is_centre[first + atom]) centres.push_back(atom);
            double *vector = out + i * e.n_features;
            try {
                const Soap soap(structure, centres.data(), int64_t(centres.size()), e.plan.cutoff);
                std::vector<double> sum(sum_size(e, spectra), 0.0);
                add_up(soap, worker, spectra, 0, int64_t(centres.size()), sum.data());
                finish_mean(soap, worker, spectra, sum.data(), vector);
            } catch (const Coincidence &found) {
                throw Coincidence{i, found.atom};
            }
        });
    });
}
