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
using gbscape::square_root;
using gbscape::store;
using gbscape::Structure;
using gbscape::vec;

namespace {

constexpr int BLOCK = 64;             // neighbours in work at once
constexpr int GROUP = 4;              // angular momenta whose radial functions lie together, without gaps between them
constexpr size_t MANY_PAIRS = 32768;  // pairs that are summed at once
constexpr int MOST_RADIAL_VECTORS = 40 / LANES;
constexpr int MOST_CHANNELS = 127;
enum Outcome { DONE = 0, FAILED = 1, COINCIDENT = 2 };

template <class Integer> Integer padded(Integer n) { return (n + LANES - 1) / LANES * LANES; }

// c[m][v] += sum_j r[j][v] y[m][j] for M rows and NV vectors of columns; r, y and c with the strides given
template <int NV, int M>
void multiply_add(const double *r, int64_t r_stride, const double *y, int64_t y_stride, int64_t y_step, int64_t count,
                  double *c, int64_t c_stride) {
    vec sum[M][NV];
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < NV; ++v) sum[m][v] = load(c + m * c_stride + v * LANES);
    for (int64_t j = 0; j < count; ++j, r += r_stride, y += y_step) {
        vec row[NV];
        for (int v = 0; v < NV; ++v) row[v] = load(r + v * LANES);
        for (int m = 0; m < M; ++m) {
            const double factor = y[m * y_stride];
            for (int v = 0; v < NV; ++v) sum[m][v] += row[v] * factor;
        }
    }
    for (int m = 0; m < M; ++m)
        for (int v = 0; v < NV; ++v) store(c + m * c_stride + v * LANES, sum[m][v]);
}

template <int NV> constexpr int rows_at_once() { return ACCUMULATORS / NV < 1 ? 1 : std::min(ACCUMULATORS / NV, 12); }

template <int NV, int M = rows_at_once<NV>()>
void multiply_add_few(int rows, const double *r, int64_t r_stride, const double *y, int64_t y_stride, int64_t y_step,
                      int64_t count, double *c, int64_t c_stride) {
    if (rows == M) return multiply_add<NV, M>(r, r_stride, y, y_stride, y_step, count, c, c_stride);
    if constexpr (M > 1) multiply_add_few<NV, M - 1>(rows, r, r_stride, y, y_stride, y_step, count, c, c_stride);
}

template <int NV>
void multiply_add_all(int rows, const double *r, int64_t r_stride, const double *y, int64_t y_stride, int64_t y_step,
                      int64_t count, double *c, int64_t c_stride) {
    constexpr int most = rows_at_once<NV>();
    for (int passes = (rows + most - 1) / most; passes > 0; --passes) {
        const int now = (rows + passes - 1) / passes;
        multiply_add_few<NV>(now, r, r_stride, y, y_stride, y_step, count, c, c_stride);
        rows -= now, y += now * y_stride, c += now * c_stride;
    }
}

using MultiplyAdd = void (*)(int, const double *, int64_t, const double *, int64_t, int64_t, int64_t, double *, int64_t);

template <int NV> MultiplyAdd pick(int wanted) {
    if (wanted == NV) return multiply_add_all<NV>;
    if constexpr (NV < MOST_RADIAL_VECTORS) return pick<NV + 1>(wanted);
    return nullptr;
}

int64_t triangle(int64_t a) { return a * (a + 1) / 2; }

// p[a][v] = sum_m c[m][a] c[m][v] for A rows from a on and NB vectors of columns from v on; row a lies at triangle(a)
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
        for (int b = 0; b < NB; ++b) store(p + triangle(a + i) + v + b * LANES, sum[i][b]);
}

template <int NB, int A = LANES>
void square_rows(int height, const double *c, int64_t stride, int rows, int a, int v, double *p) {
    if (height == A) return square_tile<A, NB>(c, stride, rows, a, v, p);
    if constexpr (A > 1) square_rows<NB, A - 1>(height, c, stride, rows, a, v, p);
}

// The lower triangle of the matrix of squares, row after row. What a row's last vector holds beyond the diagonal spills into
// the next row, which is stored after it: rows upwards, and in each the tile on the diagonal first.
void square(const double *c, int64_t stride, int n, int rows, double *p) {
    constexpr int widest = std::max(1, ACCUMULATORS / LANES);
    static_assert(widest <= 3);
    for (int a = 0; a < n; a += LANES) {
        const int height = std::min(LANES, n - a);
        for (int end = a / LANES + 1; end > 0;) {
            const int now = std::min(end, widest);
            end -= now;
            if (now == 1) square_rows<1>(height, c, stride, rows, a, end * LANES, p);
            else if (now == 2) square_rows<2>(height, c, stride, rows, a, end * LANES, p);
            else square_rows<3>(height, c, stride, rows, a, end * LANES, p);
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
    const double *table;  // (n_points, 2, level): see radial_basis.HermiteTable; GROUP l together, filled up to whole vectors
    double inverse_step;
    int32_t n_points;
    const double *central;  // (n_max,)
};

// What is the same for all atoms.
struct Expansion {
    Plan plan;
    int width, n_rows, n_all, stride;  // padded n_max; (l_max + 1)^2; n_max of all channels; the same padded
    int64_t n_features, n_pairs, triangle_size, level;
    std::vector<double> kappa, norm;  // norm: of each row of coefficients, times (2 / (2 l + 1))^(1/4)
    std::vector<double> weight;       // of each pair of radial functions: 1, on the diagonal 1 / sqrt(2)
    MultiplyAdd multiply;

    explicit Expansion(const Plan &given) : plan(given) {
        const int l_max = plan.l_max;
        width = padded(plan.n_max), n_rows = (l_max + 1) * (l_max + 1);
        n_all = plan.n_max * plan.n_channels, stride = padded(n_all);
        n_pairs = triangle(n_all), triangle_size = padded(n_pairs) + LANES;
        n_features = n_pairs * (l_max + 1) + 1;
        multiply = pick<1>(width / LANES);
        level = 0;
        for (int l = 0; l <= l_max; l += GROUP) level += group_width(l);
        weight.assign(padded(n_pairs), 0);
        std::fill(weight.begin(), weight.begin() + n_pairs, 1);
        for (int a = 0; a < n_all; ++a) weight[triangle(a) + a] = M_SQRT1_2;
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
                const double factor = std::sqrt(squared) * odd * g * std::pow(2.0 / (2 * l + 1), 0.25);
                norm[l * l + (m ? 2 * m - 1 : 0)] = factor;
                norm[l * l + 2 * m] = factor;
            }
        }
    }

    // Room that the radial functions of the group that begins with l take.
    int group_width(int l) const { return padded(std::min(GROUP, plan.l_max + 1 - l) * plan.n_max); }

    int64_t coefficients() const { return int64_t(plan.n_channels) * n_rows * width; }
};

// Where neighbours stand, a vector of them at once: direction, interval of the table and the weights of its two ends.
struct Radius {
    typedef int64_t integers __attribute__((vector_size(8 * LANES)));
    vec unit[3], weight[4];

    static vec distance(vec x, vec y, vec z) { return square_root(x * x + y * y + z * z); }

    static integers interval(vec x, vec y, vec z, const Plan &plan) {
        return __builtin_convertvector(distance(x, y, z) * plan.inverse_step, integers);
    }

    // The interval is given, as computing it twice may round it twice.
    Radius(vec x, vec y, vec z, integers interval, const Plan &plan) {
        const vec r = distance(x, y, z), inverse = 1.0 / r;
        unit[0] = x * inverse, unit[1] = y * inverse, unit[2] = z * inverse;
        const vec t = r * plan.inverse_step - __builtin_convertvector(interval, vec), s = 1.0 - t;
        vec phase = (r - (plan.cutoff - plan.transition_width)) / plan.transition_width;
        phase = phase > 0 ? phase : vec{};
        const vec fade = 0.5 - 0.5 * sine((phase - 0.5) * M_PI);
        weight[0] = fade * (1.0 + 2.0 * t) * s * s, weight[1] = fade * t * s * s;
        weight[2] = fade * t * t * (1.0 + 2.0 * s), weight[3] = -fade * t * t * s;
    }

    // For angles up to pi / 2: its series, cut off where terms are below the rounding error.
    static vec sine(vec angle) {
        const vec squared = angle * angle;
        vec sum = vec{} + 1.0;
        for (int k = 21; k > 1; k -= 2) sum = 1.0 - squared * sum * (1.0 / (k * (k - 1)));
        return angle * sum;
    }
};

// The room in which one thread works.
struct Worker {
    const Expansion &expansion;
    Neighbours found, sorted;
    Aligned harmonics[2], radial, weights, unit, c, rows, squares, flat, scratch;
    const double *table_rows[BLOCK];
    int64_t scratch_size = 0;
    double squared_norm = 0;
    std::vector<int32_t> pair_order, pair_interval;

    explicit Worker(const Expansion &e)
        : expansion(e), harmonics{Aligned((2 * e.plan.l_max + 1) * BLOCK), Aligned((2 * e.plan.l_max + 1) * BLOCK)},
          radial(BLOCK * (GROUP * e.plan.n_max + 2 * LANES)), weights(4 * BLOCK), unit(3 * BLOCK), c(e.coefficients()),
          rows(int64_t(e.n_rows) * e.stride + e.width), squares((e.plan.l_max + 1) * e.triangle_size),
          flat(e.n_features + LANES * LANES) {
        found.reserve(512), sorted.reserve(512);
    }

    // Scratch for n doubles.
    double *room(int64_t n) {
        if (n > scratch_size) scratch = Aligned(n), scratch_size = n;
        return scratch;
    }

    void clear() { std::memset(c, 0, expansion.coefficients() * 8); }

    // Puts the members of `found` of one channel into `sorted`; how many they are.
    size_t sort_out(int channel) {
        sorted.reserve(found.count);
        size_t n = 0;
        for (size_t j = 0; j < found.count; ++j)
            if (found.channel[j] == channel)
                sorted.x[n] = found.x[j], sorted.y[n] = found.y[j], sorted.z[n] = found.z[j], ++n;
        return n;
    }

    // Adds neighbours of one channel to its coefficients.
    void accumulate(Neighbours &of, size_t count, int channel) {
        of.fill_up(count, 0.5 * expansion.plan.cutoff);
        double *to = c + int64_t(channel) * expansion.n_rows * expansion.width;
        for (size_t first = 0; first < count; first += BLOCK)
            accumulate_block(&of.x[first], &of.y[first], &of.z[first], int(std::min<size_t>(BLOCK, count - first)), to);
    }

    void accumulate_block(const double *x, const double *y, const double *z, int count, double *to) {
        const int l_max = expansion.plan.l_max, n_max = expansion.plan.n_max, width = expansion.width, lanes = padded(count);
        prepare(x, y, z, lanes);
        int row = 0;  // length of the rows of `radial`, a vector more than what is in them, which reading may overrun
        for (int l = 0; l <= l_max; ++l) {
            double *now = harmonics[l & 1];
            advance(l, now, harmonics[1 - (l & 1)], now, unit, lanes, BLOCK);
            if (l % GROUP == 0) {
                row = expansion.group_width(l) + LANES;
                interpolate(count, row - LANES, row);
            }
            expansion.multiply(2 * l + 1, radial + (l % GROUP) * n_max, row, now, BLOCK, 1, count, to + int64_t(l) * l * width,
                               width);
        }
    }

    // Unit vectors, places in the table and the four weights of each neighbour.
    void prepare(const double *x, const double *y, const double *z, int lanes) {
        const Plan &plan = expansion.plan;
        double *u = unit, *h = weights;
        for (int j = 0; j < lanes; j += LANES) {
            const vec vx = load(x + j), vy = load(y + j), vz = load(z + j);
            const Radius::integers interval = Radius::interval(vx, vy, vz, plan);
            const Radius at(vx, vy, vz, interval, plan);
            for (int d = 0; d < 3; ++d) store(u + d * BLOCK + j, at.unit[d]);
            for (int q = 0; q < 4; ++q) store(h + q * BLOCK + j, at.weight[q]);
            for (int q = 0; q < LANES; ++q) table_rows[j + q] = plan.table + 2 * expansion.level * interval[q];
        }
    }

    // Radial functions of a group of l at each neighbour; the places in the table move on to the next group.
    void interpolate(int count, int used, int row) {
        const double *h = weights;
        const int64_t level = expansion.level;
        double *r = radial;
        for (int j = 0; j < count; ++j, r += row) {
            const double h0 = h[j], h1 = h[BLOCK + j], h2 = h[2 * BLOCK + j], h3 = h[3 * BLOCK + j];
            const double *value = table_rows[j];
            for (int v = 0; v < used; v += LANES)
                store(r + v, (load(value + v) * h0 + load(value + level + v) * h1) +
                                 (load(value + 2 * level + v) * h2 + load(value + 3 * level + v) * h3));
            table_rows[j] += used;
        }
    }

    // Harmonics of l from those of l - 1 and l - 2 (which may lie where those of l go); `u`: unit vectors; rows, and x, y
    // and z, are `spacing` apart.
    void advance(int l, double *now, const double *before, const double *earlier, const double *u, int lanes,
                 int spacing) const {
        const double *kappa = expansion.kappa.data() + l * (expansion.plan.l_max + 1);
        for (int j = 0; j < lanes; j += LANES, now += LANES, before += LANES, earlier += LANES) {
            if (l == 0) {
                store(now, vec{} + 1.0);
                continue;
            }
            const vec x = load(u + j), y = load(u + spacing + j), z = load(u + 2 * spacing + j);
            if (l == 1) {
                store(now, z * kappa[0]), store(now + spacing, x), store(now + 2 * spacing, y);
                continue;
            }
            store(now, z * kappa[0] * load(before) - load(earlier));
            double *to = now + spacing;
            const double *from = before + spacing, *last = earlier + spacing;
            for (int m = 1; m < l - 1; ++m, to += 2 * spacing, from += 2 * spacing, last += 2 * spacing) {
                const vec factor = z * kappa[m];
                store(to, factor * load(from) - load(last));
                store(to + spacing, factor * load(from + spacing) - load(last + spacing));
            }
            const vec cosine = load(from), sine = load(from + spacing), factor = z * kappa[l - 1];
            store(to, factor * cosine), store(to + spacing, factor * sine);
            store(to + 2 * spacing, x * cosine - y * sine), store(to + 3 * spacing, y * cosine + x * sine);
        }
    }

    // Adds many pairs of one channel to its coefficients, whichever their centres; `step` 2: even l only.
    //
    // A sum over pairs needs no radial function of each pair: what a pair gives to the values and derivatives at the ends of
    // its interval of the table is summed, and the table applied to the sums. Pairs are taken chunk of the table by chunk.
    void accumulate_pairs(Neighbours &pairs, size_t count, int channel, int step) {
        if (count == 0) return;
        const Plan &plan = expansion.plan;
        const int l_max = plan.l_max;
        pairs.fill_up(count, 0.5 * plan.cutoff);
        // rows of the harmonics that are wanted lie in front, so that they can be read as whole vectors
        std::vector<int> offset(l_max + 1);
        int wanted = 0, others = 0;
        for (int l = 0; l <= l_max; l += step) offset[l] = wanted, wanted += 2 * l + 1;
        wanted = padded(wanted);
        for (int l = 1; l <= l_max && step == 2; l += 2) offset[l] = wanted + others, others += 2 * l + 1;
        int shift = 5;  // points of the table in a chunk, such that their sums fit into the first-level cache
        while (shift > 1 && (2 << shift) * wanted > 3072) --shift;
        const int chunk_points = 1 << shift, n_chunks = ((plan.n_points - 1) >> shift) + 1;
        double *y = room(int64_t(wanted + others) * LANES + 2 * (chunk_points + 1) * int64_t(wanted) + 3 * LANES);
        double *sums = y + int64_t(wanted + others) * LANES, *u = sums + 2 * (chunk_points + 1) * int64_t(wanted);
        std::memset(y, 0, int64_t(wanted) * LANES * 8);

        std::vector<int32_t> start(n_chunks + 1, 0);
        pair_order.resize(padded(count)), pair_interval.resize(padded(count));
        for (size_t j = 0; j < count; j += LANES) {
            const Radius::integers interval =
                Radius::interval(load(&pairs.x[j]), load(&pairs.y[j]), load(&pairs.z[j]), plan);
            for (int q = 0; q < LANES; ++q) pair_interval[j + q] = int32_t(interval[q]);
        }
        for (size_t j = 0; j < count; ++j) ++start[(pair_interval[j] >> shift) + 1];
        for (int k = 0; k < n_chunks; ++k) start[k + 1] += start[k];
        for (size_t j = 0; j < count; ++j)  // afterwards start[k] is where chunk k ends
            pair_order[start[pair_interval[j] >> shift]++] = int32_t(j);

        double *to = c + int64_t(channel) * expansion.n_rows * expansion.width;
        for (int chunk = 0; chunk < n_chunks; ++chunk) {
            const int first = chunk ? start[chunk - 1] : 0, last = start[chunk], first_point = chunk << shift;
            if (first == last) continue;
            const int points = std::min(chunk_points + 1, plan.n_points - first_point);
            std::memset(sums, 0, 2 * points * int64_t(wanted) * 8);
            for (int j = first; j < last; j += LANES)
                sum_up(pairs, &pair_order[j], std::min(LANES, last - j), first_point, offset.data(), wanted, y, u, sums);
            int64_t column = 0;
            for (int l = 0; l <= l_max; ++l) {
                if (l % step == 0)
                    expansion.multiply(2 * l + 1, plan.table + 2 * expansion.level * first_point + column + (l % GROUP) * plan.n_max,
                                       expansion.level, sums + offset[l], 1, wanted, 2 * points,
                                       to + int64_t(l) * l * expansion.width, expansion.width);
                if (l % GROUP == GROUP - 1) column += expansion.group_width(l - l % GROUP);
            }
        }
    }

    // What up to LANES pairs give to the ends of their intervals.
    void sum_up(const Neighbours &pairs, const int32_t *chosen, int count, int first_point, const int *offset,
                int wanted, double *y, double *u, double *sums) const {
        const int l_max = expansion.plan.l_max;
        double gathered[3][LANES];
        Radius::integers interval;
        for (int q = 0; q < LANES; ++q) {
            const int32_t j = chosen[q < count ? q : 0];
            gathered[0][q] = pairs.x[j], gathered[1][q] = pairs.y[j], gathered[2][q] = pairs.z[j];
            interval[q] = pair_interval[j];
        }
        const Radius at(load(gathered[0]), load(gathered[1]), load(gathered[2]), interval, expansion.plan);
        for (int d = 0; d < 3; ++d) store(u + d * LANES, at.unit[d]);
        for (int l = 0; l <= l_max; ++l) {
            const double *before = y + offset[std::max(l - 1, 0)] * LANES, *earlier = y + offset[std::max(l - 2, 0)] * LANES;
            advance(l, y + offset[l] * LANES, before, earlier, u, LANES, LANES);
        }
        double weight[4][LANES];
        int64_t place[LANES];
        for (int end = 0; end < 4; ++end) store(weight[end], at.weight[end]);
        for (int q = 0; q < LANES; ++q) place[q] = (interval[q] - first_point) * 2 * wanted;
        for (int row = 0; row < wanted; row += LANES) {
            vec tile[LANES];
            for (int q = 0; q < LANES; ++q) tile[q] = load(y + (row + q) * LANES);
            transpose(tile);
            for (int q = 0; q < count; ++q) {
                double *sum = sums + place[q] + row;
                for (int end = 0; end < 4; ++end, sum += wanted) store(sum, load(sum) + tile[q] * weight[end][q]);
            }
        }
    }

    // Power spectrum of the coefficients `from` into `flat`; the centre adds itself to the channels by these weights.
    void finish(const double *from, const double *central_weights) {
        const Plan &plan = expansion.plan;
        const int n = plan.n_max, width = expansion.width, all = expansion.n_all, levels = plan.l_max + 1;
        const int64_t stride = expansion.stride, size = expansion.triangle_size, n_pairs = expansion.n_pairs;
        // the last vector of a channel reaches into the next one, which is stored after it
        for (int row = 0; row < expansion.n_rows; ++row)
            for (int s = 0; s < plan.n_channels; ++s) {
                const double *source = from + (int64_t(s) * expansion.n_rows + row) * width;
                double *target = rows + row * stride + s * n;
                for (int v = 0; v < width; v += LANES) store(target + v, load(source + v) * expansion.norm[row]);
            }
        const double root = std::sqrt(M_SQRT2);
        for (int s = 0; s < plan.n_channels; ++s)
            for (int a = 0; a < n; ++a) rows[s * n + a] += root * central_weights[s] * plan.central[a];
        for (int l = 0; l < levels; ++l) square(rows + int64_t(l) * l * stride, stride, all, 2 * l + 1, squares + l * size);
        // (l, pair) -> (pair, l); what a vector holds beyond l_max is overwritten by the vectors stored after it
        vec sum{};
        for (int64_t pair = 0; pair < n_pairs; pair += LANES) {
            const int columns = int(std::min<int64_t>(LANES, n_pairs - pair));
            const vec weight = load(expansion.weight.data() + pair);
            for (int l = (levels - 1) / LANES * LANES; l >= 0; l -= LANES) {
                vec tile[LANES];
                for (int q = 0; q < LANES; ++q) {
                    tile[q] = l + q < levels ? load(squares + (l + q) * size + pair) * weight : vec{};
                    sum += tile[q] * tile[q];
                }
                transpose(tile);
                for (int q = 0; q < columns; ++q) store(flat + (pair + q) * levels + l, tile[q]);
            }
        }
        flat[expansion.n_features - 1] = 0;
        squared_norm = 0;
        for (int q = 0; q < LANES; ++q) squared_norm += sum[q];
    }

    // Writes `flat`, divided by its norm if so wished.
    void write(double *out) const {
        const int64_t n = expansion.n_features;
        double factor = 1;
        if (expansion.plan.normalise) factor = squared_norm > 0 ? 1 / std::sqrt(squared_norm) : 0;
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
    try {
        for (int64_t i = 1; i < std::min<int64_t>(n_threads, n_chunks); ++i) others.emplace_back(run);
    } catch (const std::exception &) {  // no more threads to be had: fewer do
    }
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

    // Appends the neighbours of the centre at this place of the order of visits; its channel.
    int gather(Worker &worker, int64_t visit) const {
        const int64_t atom = centres[cells.centre_at(visit)];
        const int channel = structure.channels[atom];
        double position[3];
        cells.wrapped(atom, position);
        if (cells.gather(position, worker.found) > (channel >= 0)) throw Coincidence{0, atom};
        return channel;
    }

    // Appends the neighbours of the atom at this place of the sorted atoms that come after it.
    void gather_later(Worker &worker, int64_t place) const {
        double position[3];
        cells.sorted(place, position);
        if (cells.gather(position, worker.found, place) > 0) find_coincidence(worker);
    }

    // Coefficients of the centre at this place of the order of visits, into the worker; the channel it adds itself to.
    int expand(Worker &worker, int64_t visit) const {
        worker.clear();
        worker.found.count = 0;
        const int channel = gather(worker, visit), n_channels = worker.expansion.plan.n_channels;
        if (n_channels == 1) {
            worker.accumulate(worker.found, worker.found.count, 0);
            return 0;  // quippy's way: a single density holds the central atom whatever its species
        }
        for (int s = 0; s < n_channels; ++s) worker.accumulate(worker.sorted, worker.sort_out(s), s);
        return channel;
    }

    void spectrum(Worker &worker, int64_t visit) const {
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
    const int step = e.plan.n_channels == 1 && soap.all_alike() ? 2 : 1;  // odd l cancel
    Neighbours &found = worker.found;
    found.count = 0;
    for (int64_t place = first; place < last; ++place) {
        if (half) soap.gather_later(worker, place);
        else soap.gather(worker, place);
        if (found.count < MANY_PAIRS && place + 1 < last) continue;
        if (e.plan.n_channels == 1) worker.accumulate_pairs(found, found.count, 0, step);
        else
            for (int s = 0; s < e.plan.n_channels; ++s)
                worker.accumulate_pairs(worker.sorted, worker.sort_out(s), s, step);
        found.count = 0;
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
            pick<1>(width)(rows, projection + first * columns + column, columns, vectors + first, stride, 1, count, out + column,
                           columns);
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

EXPORTED int soap_group() { return GROUP; }

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
        const int64_t row_size = projection ? columns : e.n_features, stride = padded(e.n_features) + LANES;
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
        // whatever the number of threads, on which the sum must not depend; the sum over pairs wants many of them
        const int64_t n_chunks = std::clamp<int64_t>(n / (spectra ? 8 : 128), 1, 64);
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
