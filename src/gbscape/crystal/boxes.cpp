// Atoms of the boxes of a grid: every atom is appended to the boxes that hold it, axis after axis, in ascending order of
// the atoms, so that the lists of atoms come out sorted and no atom is looked at that is in no box of the row at hand.

#include <algorithm>
#include <cstdint>
#include <new>
#include <vector>

namespace {

// Puts n items into the buckets first[item] ... last[item] that lie in [begin, end), keeping their order.
// Bucket b is then bucketed[offsets[b - begin]] ... bucketed[offsets[b - begin + 1] - 1].
void bucket(const int32_t* items, int64_t n, const int32_t* first, const int32_t* last, int64_t begin, int64_t end,
            std::vector<int64_t>& offsets, std::vector<int32_t>& bucketed) {
    const int64_t buckets = end - begin;
    offsets.assign(buckets + 2, 0);
    for (const int32_t* i = items; i < items + n; ++i) {  // how many more bucket b holds than the one before, at [b + 1]
        const int32_t item = *i;
        const int64_t low = std::max<int64_t>(first[item] - begin, 0);
        const int64_t high = std::min<int64_t>(last[item] - begin + 1, buckets);
        if (low >= high) continue;
        ++offsets[low + 1];
        --offsets[high + 1];
    }
    for (int pass = 0; pass < 2; ++pass)  // to the numbers of items, then to where they end
        for (int64_t b = 1; b <= buckets; ++b) offsets[b] += offsets[b - 1];
    offsets.resize(buckets + 1);
    bucketed.resize(offsets[buckets]);
    std::vector<int64_t> next(offsets.begin(), offsets.end() - 1);
    for (const int32_t* i = items; i < items + n; ++i) {
        const int32_t item = *i;
        const int64_t low = std::max<int64_t>(first[item] - begin, 0);
        const int64_t high = std::min<int64_t>(last[item] - begin + 1, buckets);
        for (int64_t b = low; b < high; ++b) bucketed[next[b]++] = item;
    }
}

}  // namespace

// Fills `atoms` with the atoms of the boxes begin ... end - 1 of a grid of any x ny x nz boxes, z running fastest.
// Atom a is inside the intervals first_x[a] ... last_x[a] along x (none if first > last), and so on; the atoms of box b
// go to atoms[offsets[b - begin]] onwards, and offsets must leave room for them. Returns 1 where
// memory does not suffice, otherwise 0.
extern "C" __attribute__((visibility("default"))) int gbscape_cut_boxes(
    int64_t n_atoms, const int32_t* first_x, const int32_t* last_x, const int32_t* first_y, const int32_t* last_y,
    const int32_t* first_z, const int32_t* last_z, int64_t ny, int64_t nz, int64_t begin, int64_t end,
    const int64_t* offsets, int32_t* atoms) try {
    std::vector<int64_t> next(offsets, offsets + (end - begin));
    std::vector<int32_t> slab(n_atoms), in_rows;
    std::vector<int64_t> rows;
    for (int64_t i = begin / (ny * nz); i * ny * nz < end; ++i) {
        int64_t size = 0;
        for (int64_t atom = 0; atom < n_atoms; ++atom) {
            slab[size] = int32_t(atom);  // size <= atom
            size += (first_x[atom] <= i) & (i <= last_x[atom]);
        }
        const int64_t row_begin = std::max<int64_t>(begin / nz - i * ny, 0);
        const int64_t row_end = std::min<int64_t>((end + nz - 1) / nz - i * ny, ny);
        bucket(slab.data(), size, first_y, last_y, row_begin, row_end, rows, in_rows);
        for (int64_t j = row_begin; j < row_end; ++j) {
            const int64_t origin = (i * ny + j) * nz;  // the row's first box
            const int64_t box_begin = std::max<int64_t>(begin - origin, 0);
            const int64_t box_end = std::min<int64_t>(end - origin, nz);
            int64_t* place = next.data() + (origin - begin);
            for (int64_t p = rows[j - row_begin]; p < rows[j - row_begin + 1]; ++p) {
                const int32_t atom = in_rows[p];
                const int64_t low = std::max<int64_t>(first_z[atom], box_begin);
                const int64_t high = std::min<int64_t>(last_z[atom] + 1, box_end);
                for (int64_t k = low; k < high; ++k) atoms[place[k]++] = atom;
            }
        }
    }
    return 0;
} catch (const std::bad_alloc&) {
    return 1;
}
