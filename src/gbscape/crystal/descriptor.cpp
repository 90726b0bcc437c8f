// The nearest-neighbour distance of each pair of species of many small structures: distances from the atoms of one species
// to the nearest ones of another, by cell lists, and the length that most of them have.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <thread>
#include <vector>

#include "cell_list.hpp"

namespace {

using namespace gbscape;

enum State : int32_t { SOUND = 0, ALONE = 1, COINCIDING = 2 };
constexpr double SAME = 1e-9;  // distances whose relative spread is smaller differ by rounding only

struct Pair {
    std::vector<double> positions, distances;
    std::vector<int8_t> channels;
    std::vector<int64_t> centres, pending, left;
    Neighbours found;

    // Takes the atoms of both species; those of the first are centres, those of the second count as neighbours.
    void select(const double *all, const int32_t *numbers, int64_t n, int32_t first, int32_t second) {
        positions.clear(), channels.clear(), centres.clear();
        for (int64_t i = 0; i < n; ++i) {
            if (numbers[i] != first && numbers[i] != second) continue;
            if (numbers[i] == first) centres.push_back(int64_t(channels.size()));
            positions.insert(positions.end(), all + 3 * i, all + 3 * i + 3);
            channels.push_back(numbers[i] == second ? 0 : -1);
        }
    }

    // Puts atoms inside the cell along periodic directions; returns its volume.
    double wrap(const double *cell, const uint8_t *periodic) {
        double reciprocal[3][3];
        for (int d = 0; d < 3; ++d)
            for (int e = 0; e < 3; ++e) {
                const double *a = cell + 3 * ((d + 1) % 3), *b = cell + 3 * ((d + 2) % 3);
                const int f = (e + 1) % 3, g = (e + 2) % 3;
                reciprocal[d][e] = a[f] * b[g] - a[g] * b[f];
            }
        const double volume = cell[0] * reciprocal[0][0] + cell[1] * reciprocal[0][1] + cell[2] * reciprocal[0][2];
        for (size_t i = 0; i < positions.size(); i += 3) {
            double *position = &positions[i];
            for (int d = 0; d < 3; ++d) {
                if (!periodic[d]) continue;
                const double *r = reciprocal[d];
                const double whole = std::floor((position[0] * r[0] + position[1] * r[1] + position[2] * r[2]) / volume);
                for (int e = 0; whole != 0 && e < 3; ++e) position[e] -= whole * cell[3 * d + e];
            }
        }
        return std::abs(volume);
    }

    // A radius to begin with, within which most centres have a neighbour, but not many.
    double guess(bool same, double volume, const double *cell, const uint8_t *periodic) const {
        const auto neighbours = std::count(channels.begin(), channels.end(), int8_t(0));
        if (periodic[0] && periodic[1] && periodic[2]) return std::max(1.2 * std::cbrt(volume / neighbours), 2 * COINCIDENCE);
        double period = std::numeric_limits<double>::infinity();
        for (int d = 0; same && d < 3; ++d)
            if (periodic[d]) period = std::min(period, std::hypot(cell[3 * d], cell[3 * d + 1], cell[3 * d + 2]));
        double radius = 0;
        const size_t step = std::max<size_t>(1, centres.size() / 8);
        for (size_t k = 0; k < centres.size(); k += step) {
            const int64_t i = centres[k];
            double nearest = period * period;
            for (int64_t j = 0; j < int64_t(channels.size()); ++j) {
                if (channels[j] < 0 || j == i) continue;
                double squared = 0;
                for (int d = 0; d < 3; ++d) squared += std::pow(positions[3 * j + d] - positions[3 * i + d], 2);
                nearest = std::min(nearest, squared);
            }
            radius = std::max(radius, std::sqrt(nearest));
        }
        return std::max(1.05 * radius, 2 * COINCIDENCE);
    }

    State measure(bool same, const double *cell, const uint8_t *periodic) {
        const auto neighbours = std::count(channels.begin(), channels.end(), int8_t(0));
        const bool repeats = periodic[0] || periodic[1] || periodic[2];
        if (neighbours == 0 || (same && neighbours == 1 && !repeats)) return ALONE;
        const Structure structure{positions.data(), channels.data(), int64_t(channels.size()), cell, periodic, 1.0};
        distances.clear();
        pending = centres;
        const double volume = wrap(cell, periodic);
        for (double radius = guess(same, volume, cell, periodic); !pending.empty(); radius *= 1.5) {
            const CellList list(structure, pending.data(), int64_t(pending.size()), radius);
            left.clear();
            for (const int64_t centre : pending) {
                double position[3];
                list.wrapped(centre, position);
                found.count = 0;
                if (list.gather(position, found) > (same ? 1 : 0)) return COINCIDING;
                double nearest = std::numeric_limits<double>::infinity();
                for (size_t j = 0; j < found.count; ++j)
                    nearest = std::min(nearest, found.x[j] * found.x[j] + found.y[j] * found.y[j] + found.z[j] * found.z[j]);
                if (found.count) distances.push_back(std::sqrt(nearest));
                else left.push_back(centre);
            }
            pending.swap(left);
        }
        return SOUND;
    }

    // As `gbscape.structure.nearest_neighbours.nearest_neighbour_distance`.
    double most_populated(int bins, double &shortest) {
        const auto [low, high] = std::minmax_element(distances.begin(), distances.end());
        const double first = *low, last = *high;
        shortest = first;
        if (last - first <= SAME * last) {
            const auto middle = distances.begin() + distances.size() / 2;
            std::nth_element(distances.begin(), middle, distances.end());
            return distances.size() % 2 ? *middle : (*middle + *std::max_element(distances.begin(), middle)) / 2;
        }
        const double width = (last - first) / bins;
        std::vector<int64_t> counts(bins, 0);
        for (const double distance : distances) ++counts[std::min(int((distance - first) / width), bins - 1)];
        int fullest = 0;
        double most = -1;
        for (int bin = 0; bin < bins; ++bin) {
            const double lower = first + width * bin, density = double(counts[bin]) / (lower * lower);
            if (density > most) most = density, fullest = bin;
        }
        return (first + width * fullest) + width / 2;
    }
};

}  // namespace

// Pair k is that of the species first[k] and second[k] in structure of[k], whose atoms are offsets[of[k]] to before
// offsets[of[k] + 1]; cells (n, 3, 3) with linearly independent rows, periodic (n, 3). Writes the state of each pair, its
// shortest distance and its nearest-neighbour distance. Returns 1 where memory does not suffice, otherwise 0.
extern "C" __attribute__((visibility("default"))) int gbscape_nearest_neighbours(
    int64_t n_pairs, const int64_t *of, const int32_t *first, const int32_t *second, const int64_t *offsets,
    const double *positions, const int32_t *numbers, const double *cells, const uint8_t *periodic, int bins,
    int n_threads, int32_t *states, double *shortest, double *distances) try {
    std::atomic<int64_t> next{0};
    std::atomic<bool> failed{false};
    const auto work = [&] {
        try {
            Pair pair;
            for (int64_t k; (k = next++) < n_pairs && !failed;) {
                const int64_t s = of[k], begin = offsets[s];
                const bool same = first[k] == second[k];
                pair.select(positions + 3 * begin, numbers + begin, offsets[s + 1] - begin, first[k], second[k]);
                states[k] = pair.measure(same, cells + 9 * s, periodic + 3 * s);
                shortest[k] = distances[k] = 0;
                if (states[k] == SOUND) distances[k] = pair.most_populated(bins, shortest[k]);
            }
        } catch (const std::exception &) {
            failed = true;
        }
    };
    std::vector<std::thread> others;
    for (int t = 1; t < std::min<int64_t>(n_threads, n_pairs); ++t) others.emplace_back(work);
    work();
    for (auto &thread : others) thread.join();
    return failed;
} catch (const std::exception &) {
    return 1;
}
