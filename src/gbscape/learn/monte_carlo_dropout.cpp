// Many forward passes of a dense network with dropout, for one sequence of masks that all rows share.
//
// A pass is three things. (1) The first layer: its product with all inputs is made once, and from it what the dropped
// inputs gave is taken away, some ten of hundreds. (2) The layers after it are full products, but over the kept inputs
// only: weights lie in panels of two registers' width, a panel's row for each input, so that dropped rows are stepped over
// and nothing is packed anew. (3) The softmax, whose mean and entropy are summed at once, so that memory does not depend
// on the number of passes.
//
// A thread takes a block of rows, small enough for the activations of all layers to stay in its cache, through all passes.
// Every sum runs over inputs in ascending order, whatever the block and the row's place in it: a row's result depends on
// nothing else in the call.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "registers.hpp"

namespace {

using gbscape::LANES;
typedef gbscape::V<float> vec;
typedef gbscape::Vector<float>::Index ivec;
constexpr int W = LANES<float>;
typedef float unaligned __attribute__((vector_size(gbscape::REGISTER_BYTES), aligned(4), may_alias));

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int ROWS = 12;  // times two registers: 24 accumulators of 32 registers
#elif defined(__AVX__)
constexpr int ROWS = 6;
#else
constexpr int ROWS = 4;
#endif
constexpr int64_t BLOCK = 96;  // rows of a thread: a multiple of ROWS

inline vec load(const float *p) { return *reinterpret_cast<const unaligned *>(p); }
inline void store(float *p, vec v) { *reinterpret_cast<unaligned *>(p) = v; }
inline vec all(float x) { return x - vec{}; }
inline vec positive(vec x) { return x > 0 ? x : vec{}; }

int64_t padded(int64_t n) { return (n + W - 1) / W * W; }

// exp(x) for x <= 0, to about 1e-7 relative; 0 below -87.
inline vec exponential(vec x) {
    const vec lowest = all(-87.0f);
    const ivec gone = x < lowest;
    x = gone ? lowest : x;
    const vec magic = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
    const vec rounded = x * all(1.44269504088896341f) + magic;
    const vec whole = rounded - magic;
    const vec rest = (x - whole * all(0.693359375f)) - whole * all(-2.12194440e-4f);
    vec p = all(1.9875691500e-4f);
    p = p * rest + all(1.3981999507e-3f);
    p = p * rest + all(8.3334519073e-3f);
    p = p * rest + all(4.1665795894e-2f);
    p = p * rest + all(1.6666665459e-1f);
    p = p * rest + all(5.0000001201e-1f);
    p = p * rest * rest + rest + all(1.0f);
    const ivec exponent = (reinterpret_cast<ivec>(rounded) - reinterpret_cast<ivec>(magic) + 127) << 23;
    const vec result = p * reinterpret_cast<vec>(exponent);
    return gone ? vec{} : result;
}

// A dense layer: panels of 2W columns (the last one W where that is enough), a row for each input.
struct Layer {
    int64_t inputs, units, columns;  // columns: units padded to whole registers
    std::vector<float> panels, bias;

    Layer(int64_t inputs, int64_t units, const float *weights, const float *biases, float factor, float pad)
        : inputs(inputs), units(units), columns(padded(units)), panels(inputs * columns), bias(columns, pad) {
        std::copy(biases, biases + units, bias.begin());
        for (int64_t first = 0; first < columns; first += 2 * W) {
            const int64_t width = std::min<int64_t>(2 * W, columns - first);
            float *panel = panels.data() + first * inputs;
            for (int64_t unit = first; unit < std::min(first + width, units); ++unit)
                for (int64_t k = 0; k < inputs; ++k)
                    panel[k * width + unit - first] = factor * weights[unit * inputs + k];
        }
    }
};

// out = start +- in[:, kept] panel[kept] for ROWS rows and N registers of columns.
template <int N, bool SUBTRACT>
inline void tile(const float *in, int64_t in_stride, const int32_t *kept, int64_t n_kept, const float *panel,
                 const float *start, int64_t start_stride, float *out, int64_t out_stride, bool rectified) {
    vec sums[ROWS][N];
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 2
        for (int c = 0; c < N; ++c) sums[r][c] = load(start + r * start_stride + c * W);
    for (int64_t i = 0; i < n_kept; ++i) {
        const int64_t k = kept[i];
        vec w[N];
#pragma GCC unroll 2
        for (int c = 0; c < N; ++c) w[c] = load(panel + (k * N + c) * W);
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r) {
            const vec x = all(in[r * in_stride + k]);
#pragma GCC unroll 2
            for (int c = 0; c < N; ++c) sums[r][c] = SUBTRACT ? sums[r][c] - x * w[c] : sums[r][c] + x * w[c];
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 2
        for (int c = 0; c < N; ++c) store(out + r * out_stride + c * W, rectified ? positive(sums[r][c]) : sums[r][c]);
}

// The same for all rows (a multiple of ROWS) and columns. A start_stride of 0 starts every row from the same numbers.
template <bool SUBTRACT>
void multiply(const Layer &layer, int64_t rows, const float *in, int64_t in_stride, const std::vector<int32_t> &kept,
              const float *start, int64_t start_stride, float *out, int64_t out_stride, bool rectified) {
    for (int64_t first = 0; first < layer.columns; first += 2 * W) {
        const float *panel = layer.panels.data() + first * layer.inputs;
        const auto of_panel = layer.columns - first >= 2 * W ? tile<2, SUBTRACT> : tile<1, SUBTRACT>;
        for (int64_t row = 0; row < rows; row += ROWS)
            of_panel(in + row * in_stride, in_stride, kept.data(), kept.size(), panel,
                     start + row * start_stride + first, start_stride, out + row * out_stride + first, out_stride,
                     rectified);
    }
}

struct Network {
    std::vector<Layer> layers;
    std::vector<int64_t> mask_starts;  // of each layer's inputs in a row of the masks
    int64_t mask_size = 0;

    Network(int n_layers, const int64_t *sizes, const float *const *weights, const float *const *biases, float scale,
            float inverse_temperature) {
        for (int l = 0; l < n_layers; ++l) {
            const bool last = l == n_layers - 1;
            const float factor = scale * (last ? inverse_temperature : 1.0f);
            std::vector<float> bias(biases[l], biases[l] + sizes[l + 1]);
            if (last)
                for (float &b : bias) b *= inverse_temperature;
            // Columns that only fill a register must not win the softmax.
            layers.emplace_back(sizes[l], sizes[l + 1], weights[l], bias.data(), factor, last ? -1e30f : 0.0f);
            mask_starts.push_back(mask_size);
            mask_size += sizes[l];
        }
    }
};

// What a thread needs for a block of rows.
struct Room {
    std::vector<std::vector<float>> activations;  // input, hidden layers, logits: (BLOCK, stride)
    std::vector<int64_t> strides;
    std::vector<float> base;  // (BLOCK, columns of the first layer) with no input dropped
    std::vector<int32_t> kept;
    std::vector<uint8_t> occurs;  // whether an input differs from 0 in any row of the block

    explicit Room(const Network &network) {
        int64_t widest = padded(network.layers[0].inputs);
        add(widest);
        for (const Layer &layer : network.layers) {
            add(layer.columns);
            widest = std::max(widest, layer.columns);
        }
        base.resize(BLOCK * network.layers[0].columns);
        kept.reserve(widest);
        occurs.resize(network.layers[0].inputs);
    }
    void add(int64_t columns) {
        strides.push_back(columns + W);  // no power of two, so that rows do not compete for the same lines of the cache
        activations.emplace_back(BLOCK * strides.back());
    }
};

// Adds softmax(z) to `sums` and returns sum(p ln p), for one row of logits, which is written over. Pads are about -1e30.
inline double add_softmax(float *z, int64_t columns, int64_t units, double *sums) {
    vec most = load(z);
    for (int64_t c = W; c < columns; c += W) {
        const vec x = load(z + c);
        most = x > most ? x : most;
    }
    float highest = most[0];
    for (int i = 1; i < W; ++i) highest = std::max(highest, most[i]);
    vec total{}, weighted{};
    for (int64_t c = 0; c < columns; c += W) {
        const vec x = load(z + c) - highest;
        const vec value = exponential(x);
        store(z + c, value);
        total += value;
        weighted += value * x;
    }
    double sum = 0, dot = 0;
    for (int i = 0; i < W; ++i) {
        sum += total[i];
        dot += weighted[i];
    }
    const double inverse = 1 / sum;
    for (int64_t c = 0; c < units; ++c) sums[c] += inverse * z[c];
    return dot * inverse - std::log(sum);
}

struct Work {
    const Network &network;
    const float *features;  // (n, inputs)
    int64_t n;
    const uint8_t *masks;  // (passes, mask_size), 1: kept
    int64_t passes;
    double *sums;          // (n, classes)
    double *p_log_p;       // (n,)
    double *const *hidden; // for each hidden layer null or (n, units)
};

void one_block(const Work &work, Room &room, int64_t first) {
    const auto &layers = work.network.layers;
    const int64_t n = std::min(BLOCK, work.n - first), rows = (n + ROWS - 1) / ROWS * ROWS;
    const Layer &start = layers.front();
    float *x = room.activations[0].data();
    const int64_t stride = room.strides[0];
    std::fill(room.activations[0].begin(), room.activations[0].end(), 0.0f);
    std::fill(room.occurs.begin(), room.occurs.end(), 0);
    for (int64_t row = 0; row < n; ++row) {
        const float *source = work.features + (first + row) * start.inputs;
        std::memcpy(x + row * stride, source, start.inputs * sizeof(float));
        for (int64_t k = 0; k < start.inputs; ++k) room.occurs[k] |= source[k] != 0;
    }
    room.kept.clear();
    for (int64_t k = 0; k < start.inputs; ++k)
        if (room.occurs[k]) room.kept.push_back(k);
    multiply<false>(start, rows, x, stride, room.kept, start.bias.data(), 0, room.base.data(), start.columns, false);

    for (int64_t pass = 0; pass < work.passes; ++pass) {
        const uint8_t *mask = work.masks + pass * work.network.mask_size;
        for (size_t l = 0; l < layers.size(); ++l) {
            const Layer &layer = layers[l];
            const uint8_t *keep = mask + work.network.mask_starts[l];
            room.kept.clear();
            for (int64_t k = 0; k < layer.inputs; ++k)
                if (l == 0 ? !keep[k] && room.occurs[k] : keep[k]) room.kept.push_back(k);
            float *out = room.activations[l + 1].data();
            const int64_t out_stride = room.strides[l + 1];
            const bool last = l == layers.size() - 1;
            if (l == 0)
                multiply<true>(layer, rows, x, stride, room.kept, room.base.data(), layer.columns, out, out_stride, !last);
            else
                multiply<false>(layer, rows, room.activations[l].data(), room.strides[l], room.kept, layer.bias.data(), 0,
                                out, out_stride, !last);
            if (last) {
                for (int64_t row = 0; row < n; ++row)
                    work.p_log_p[first + row] += add_softmax(out + row * out_stride, layer.columns, layer.units,
                                                             work.sums + (first + row) * layer.units);
            } else if (work.hidden[l]) {
                for (int64_t row = 0; row < n; ++row) {
                    double *sum = work.hidden[l] + (first + row) * layer.units;
                    for (int64_t u = 0; u < layer.units; ++u) sum[u] += out[row * out_stride + u];
                }
            }
        }
    }
}

}  // namespace

// Adds to `sums`, `p_log_p` (in nats) and `hidden` what the passes give for each row. `sizes` has the inputs and each
// layer's units; weights are (units, inputs). Returns 0, or 1 where memory ran out.
extern "C" __attribute__((visibility("default"))) int dropout_passes(
    int n_layers, const int64_t *sizes, const float *const *weights, const float *const *biases, float scale,
    float inverse_temperature, const float *features, int64_t n, const uint8_t *masks, int64_t passes, int threads,
    double *sums, double *p_log_p, double *const *hidden) {
    try {
        const Network network(n_layers, sizes, weights, biases, scale, inverse_temperature);
        const Work work{network, features, n, masks, passes, sums, p_log_p, hidden};
        const int64_t n_blocks = (n + BLOCK - 1) / BLOCK;
        std::atomic<int64_t> next{0};
        const int64_t n_threads = std::max<int64_t>(1, std::min<int64_t>(threads, n_blocks));
        std::vector<std::unique_ptr<Room>> rooms;
        for (int64_t t = 0; t < n_threads; ++t) rooms.push_back(std::make_unique<Room>(network));
        const auto run = [&](Room &room) {
            for (int64_t block = next++; block < n_blocks; block = next++) one_block(work, room, block * BLOCK);
        };
        std::vector<std::thread> others;
        try {
            for (int64_t t = 1; t < n_threads; ++t) others.emplace_back(run, std::ref(*rooms[t]));
        } catch (const std::exception &) {  // no more threads to be had: fewer do
        }
        run(*rooms[0]);
        for (auto &thread : others) thread.join();
        return 0;
    } catch (const std::bad_alloc &) {
        return 1;
    }
}
