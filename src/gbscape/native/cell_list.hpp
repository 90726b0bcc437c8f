// Atoms and their periodic images within a cut-off of the centres, sorted into rectangular bins: the neighbours of any
// centre in time independent of the number of atoms. Any cell, any periodicity, cells shorter than the cut-off too.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "vectors.hpp"

namespace gbscape {

constexpr double COINCIDENCE = 1e-3;  // atoms nearer than this are one atom stored twice: they have no direction

struct Structure {
    const double *positions;  // (n, 3)
    const int8_t *channels;   // (n,) density that an atom adds to; negative: none
    int64_t n;
    const double *cell;  // (3, 3), rows; linearly independent, also where not periodic
    const uint8_t *periodic;  // (3,)
    double scale;  // all lengths are multiplied by it
};

struct Neighbours {  // vectors from the centre to each, with room for LANES more
    std::vector<double> x, y, z;
    std::vector<int8_t> channel;
    size_t count = 0;

    // Gives the vector that holds the last one harmless other members.
    void fill_up(size_t n, double distance) {
        for (size_t j = n; j < n + LANES; ++j) x[j] = distance, y[j] = z[j] = 0;
    }

    void reserve(size_t more) {
        if (count + more + LANES <= x.size()) return;
        const size_t size = 2 * (count + more + LANES);
        x.resize(size), y.resize(size), z.resize(size), channel.resize(size);
    }
};

class CellList {
public:
    // centres: indices of atoms; their order of visit follows the bins.
    CellList(const Structure &structure, const int64_t *centres, int64_t n_centres, double cutoff)
        : with_channels_(std::any_of(structure.channels, structure.channels + structure.n, [](int8_t c) { return c > 0; })),
          cutoff_(cutoff), squared_cutoff_(cutoff * cutoff), structure_(structure) {
        invert_cell();
        find_region(centres, n_centres);
        choose_bins();
        sort_atoms();
        sort_centres(centres, n_centres);
    }

    int64_t n_centres() const { return int64_t(order_.size()); }
    int64_t centre_at(int64_t visit) const { return order_[visit]; }  // which of the centres comes at this place

    // Appends the neighbours of the centre at `position` (wrapped); returns how many atoms coincide with it, itself
    // among them when it is in the list. `after`: only atoms sorted behind it (non-periodic structures only).
    int gather(const double *position, Neighbours &found, int64_t after = -1) const {
        const double px = position[0], py = position[1], pz = position[2];
        const int x0 = bin(0, px - cutoff_), x1 = bin(0, px + cutoff_);
        const int y0 = bin(1, py - cutoff_), y1 = bin(1, py + cutoff_);
        const size_t before = found.count;
        int coinciding = 0;
        for (int bx = x0; bx <= x1; ++bx) {
            const double away_x = distance_to_bin(0, bx, px);
            for (int by = y0; by <= y1; ++by) {
                const double away_y = distance_to_bin(1, by, py);
                const double left = squared_cutoff_ - away_x * away_x - away_y * away_y;
                if (left <= 0) continue;
                const double reach = std::sqrt(left);
                const int64_t column = (int64_t(bx) * bins_[1] + by) * bins_[2];
                const int64_t first = std::max<int64_t>(start_[column + bin(2, pz - reach)], after + 1);
                const int64_t last = start_[column + bin(2, pz + reach) + 1];
                if (first < last) coinciding += scan(first, last, px, py, pz, found);
            }
        }
        // `found` may have held neighbours of other structures, whose channels `scan` leaves there
        if (!with_channels_) std::fill_n(found.channel.begin() + before, found.count - before, int8_t(0));
        return coinciding;
    }

    void wrapped(int64_t atom, double *position) const {
        const double *given = structure_.positions + 3 * atom;
        double fraction[3];
        for (int d = 0; d < 3; ++d) position[d] = given[d] * structure_.scale;
        fractional(position, fraction);
        for (int d = 0; d < 3; ++d)
            if (structure_.periodic[d]) {
                const double whole = std::floor(fraction[d]);
                if (whole != 0)
                    for (int e = 0; e < 3; ++e) position[e] -= whole * cell_[d][e];
            }
    }

    // Position of the atom at this place of the sorted atoms and images.
    void sorted(int64_t place, double *position) const {
        position[0] = x_[place], position[1] = y_[place], position[2] = z_[place];
    }

private:
    bool with_channels_;
    double cutoff_, squared_cutoff_;
    Structure structure_;
    double cell_[3][3], inverse_[3][3], reach_[3];  // reach: the cut-off in fractions of the cell's heights
    double low_[3], high_[3], width_[3], inverse_width_[3];
    int bins_[3];
    std::vector<double> x_, y_, z_;
    std::vector<int8_t> channel_;
    std::vector<int32_t> start_, order_;

    void invert_cell() {
        for (int d = 0; d < 3; ++d)
            for (int e = 0; e < 3; ++e) cell_[d][e] = structure_.cell[3 * d + e] * structure_.scale;
        const auto &a = cell_;
        for (int d = 0; d < 3; ++d) {
            const int f = (d + 1) % 3, g = (d + 2) % 3;
            for (int e = 0; e < 3; ++e) {
                const int h = (e + 1) % 3, i = (e + 2) % 3;
                inverse_[e][d] = a[f][h] * a[g][i] - a[f][i] * a[g][h];
            }
        }
        const double volume = a[0][0] * inverse_[0][0] + a[0][1] * inverse_[1][0] + a[0][2] * inverse_[2][0];
        for (auto &row : inverse_)
            for (double &element : row) element /= volume;
        for (int d = 0; d < 3; ++d)
            reach_[d] = cutoff_ * std::sqrt(inverse_[0][d] * inverse_[0][d] + inverse_[1][d] * inverse_[1][d] +
                                            inverse_[2][d] * inverse_[2][d]) + 1e-9;
    }

    void fractional(const double *position, double *fraction) const {
        for (int d = 0; d < 3; ++d)
            fraction[d] = position[0] * inverse_[0][d] + position[1] * inverse_[1][d] + position[2] * inverse_[2][d];
    }

    // The box that holds all centres' spheres: nothing outside it matters.
    void find_region(const int64_t *centres, int64_t n_centres) {
        for (int d = 0; d < 3; ++d) low_[d] = std::numeric_limits<double>::infinity(), high_[d] = -low_[d];
        for (int64_t i = 0; i < n_centres; ++i) {
            double position[3];
            wrapped(centres[i], position);
            for (int d = 0; d < 3; ++d) {
                low_[d] = std::min(low_[d], position[d]);
                high_[d] = std::max(high_[d], position[d]);
            }
        }
        for (int d = 0; d < 3; ++d) low_[d] -= cutoff_ * (1 + 1e-9), high_[d] += cutoff_ * (1 + 1e-9);
    }

    void choose_bins() {
        // Narrow along z, where a column's bins lie one after the other and are read in one go.
        double width[3] = {cutoff_, cutoff_, cutoff_ / 4};
        while (true) {
            double total = 1;
            for (int d = 0; d < 3; ++d) total *= std::max(1.0, std::floor((high_[d] - low_[d]) / width[d]));
            if (total <= 4.0 * double(structure_.n) + 4096) break;  // vacuum shall not cost memory
            for (double &w : width) w *= 2;
        }
        for (int d = 0; d < 3; ++d) {
            bins_[d] = std::max(1, int((high_[d] - low_[d]) / width[d]));
            width_[d] = (high_[d] - low_[d]) / bins_[d];
            inverse_width_[d] = 1 / width_[d];
        }
    }

    int bin(int d, double coordinate) const {
        const double place = (coordinate - low_[d]) * inverse_width_[d];
        return place <= 0 ? 0 : std::min(bins_[d] - 1, int(place));
    }

    int64_t bin_of(const double *position) const {
        return (int64_t(bin(0, position[0])) * bins_[1] + bin(1, position[1])) * bins_[2] + bin(2, position[2]);
    }

    // A little less than the distance: rounding must not lose an atom on the edge of its bin.
    double distance_to_bin(int d, int index, double coordinate) const {
        const double edge = low_[d] + index * width_[d];
        const double away = std::max(edge - coordinate, coordinate - edge - width_[d]);
        return std::max(0.0, away - 1e-9 * cutoff_);
    }

    template <class Visit> void for_each_image(Visit visit) const {
        for (int64_t i = 0; i < structure_.n; ++i) {
            if (structure_.channels[i] < 0) continue;
            double position[3], fraction[3];
            wrapped(i, position);
            fractional(position, fraction);
            int from[3] = {0, 0, 0}, to[3] = {0, 0, 0};
            for (int d = 0; d < 3; ++d)
                if (structure_.periodic[d]) {
                    from[d] = int(std::ceil(-reach_[d] - fraction[d]));
                    to[d] = int(std::floor(1 + reach_[d] - fraction[d]));
                }
            for (int a = from[0]; a <= to[0]; ++a)
                for (int b = from[1]; b <= to[1]; ++b)
                    for (int c = from[2]; c <= to[2]; ++c) {
                        double image[3];
                        bool inside = true;
                        for (int e = 0; e < 3; ++e) {
                            image[e] = position[e] + (a * cell_[0][e] + b * cell_[1][e] + c * cell_[2][e]);
                            inside = inside && image[e] >= low_[e] && image[e] <= high_[e];
                        }
                        if (inside) visit(i, image);
                    }
        }
    }

    void sort_atoms() {
        const int64_t n_bins = int64_t(bins_[0]) * bins_[1] * bins_[2];
        start_.assign(n_bins + 1, 0);
        int64_t total = 0;
        for_each_image([&](int64_t, const double *image) { ++start_[bin_of(image) + 1], ++total; });
        if (total > std::numeric_limits<int32_t>::max() - LANES)
            throw std::length_error("more than 2147483639 atoms and images");
        for (int64_t b = 0; b < n_bins; ++b) start_[b + 1] += start_[b];
        x_.resize(total + LANES), y_.resize(total + LANES), z_.resize(total + LANES), channel_.resize(total + LANES);
        // start_[b] serves as the next free place of bin b and ends as the start of bin b + 1
        for_each_image([&](int64_t i, const double *image) {
            const int32_t place = start_[bin_of(image)]++;
            x_[place] = image[0], y_[place] = image[1], z_[place] = image[2], channel_[place] = structure_.channels[i];
        });
        for (int64_t b = n_bins; b > 0; --b) start_[b] = start_[b - 1];
        start_[0] = 0;
    }

    void sort_centres(const int64_t *centres, int64_t n_centres) {
        const int64_t n_bins = int64_t(bins_[0]) * bins_[1] * bins_[2];
        std::vector<int32_t> next(n_bins + 1, 0);
        double position[3];
        for (int64_t i = 0; i < n_centres; ++i) wrapped(centres[i], position), ++next[bin_of(position) + 1];
        for (int64_t b = 0; b < n_bins; ++b) next[b + 1] += next[b];
        order_.resize(n_centres);
        for (int64_t i = 0; i < n_centres; ++i) wrapped(centres[i], position), order_[next[bin_of(position)]++] = int32_t(i);
    }

    int scan(int64_t first, int64_t last, double px, double py, double pz, Neighbours &found) const {
        found.reserve(last - first);
        int coinciding = 0;
        size_t count = found.count;
        constexpr double tiny = COINCIDENCE * COINCIDENCE;
#if defined(__AVX512F__)
        const __m512d cx = _mm512_set1_pd(px), cy = _mm512_set1_pd(py), cz = _mm512_set1_pd(pz);
        const __m512d limit = _mm512_set1_pd(squared_cutoff_), nearest = _mm512_set1_pd(tiny);
        for (int64_t j = first; j < last; j += 8) {
            const __mmask8 valid = last - j >= 8 ? 0xff : (1u << (last - j)) - 1;
            const __m512d dx = _mm512_sub_pd(_mm512_loadu_pd(&x_[j]), cx), dy = _mm512_sub_pd(_mm512_loadu_pd(&y_[j]), cy),
                          dz = _mm512_sub_pd(_mm512_loadu_pd(&z_[j]), cz);
            const __m512d squared = _mm512_fmadd_pd(dx, dx, _mm512_fmadd_pd(dy, dy, _mm512_mul_pd(dz, dz)));
            const __mmask8 within = _mm512_mask_cmp_pd_mask(valid, squared, limit, _CMP_LT_OQ);
            const __mmask8 same = _mm512_mask_cmp_pd_mask(within, squared, nearest, _CMP_LT_OQ);
            const __mmask8 kept = within & ~same;
            _mm512_storeu_pd(&found.x[count], _mm512_maskz_compress_pd(kept, dx));
            _mm512_storeu_pd(&found.y[count], _mm512_maskz_compress_pd(kept, dy));
            _mm512_storeu_pd(&found.z[count], _mm512_maskz_compress_pd(kept, dz));
            size_t at = count;
            if (with_channels_)
                for (unsigned bits = kept; bits; bits &= bits - 1)
                    found.channel[at++] = channel_[j + __builtin_ctz(bits)];
            coinciding += __builtin_popcount(same);
            count += __builtin_popcount(kept);
        }
#else
        for (int64_t j = first; j < last; ++j) {
            const double dx = x_[j] - px, dy = y_[j] - py, dz = z_[j] - pz;
            const double squared = dx * dx + dy * dy + dz * dz;
            found.x[count] = dx, found.y[count] = dy, found.z[count] = dz, found.channel[count] = channel_[j];
            count += (squared < squared_cutoff_) & (squared >= tiny);
            coinciding += squared < tiny;
        }
#endif
        found.count = count;
        return coinciding;
    }
};

}  // namespace gbscape
