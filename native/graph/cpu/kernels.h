// The float32 arithmetic of the graph engine on processors: linear layers, attention, norms, activations.
//
// Every function is called once by each of `nth` threads, with its own `ith`; the threads share the work and need no
// barrier inside. Sums are as exact as float32 allows, on every path. Strides are in floats, from one token to the
// next; the values of a token lie together. Nothing need be aligned. Outputs may not overlap inputs, but `activate`,
// `layer_norm` and `rms_norm` may work in place. Infinities and NaNs give infinities or NaNs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace gt::graph::cpu {

// gelu is the exact one (erf); gelu_new the one with tanh, which torch calls gelu_pytorch_tanh.
enum class Activation { none, relu, gelu, gelu_new, quick_gelu, silu, tanh, sigmoid, relu6, hardswish };

enum class WeightType { f32, bf16 };

// Hands out the pieces of a work that threads do together, the next to whoever asks.
class Turns {
 public:
  // At or beyond the number of pieces there is none left.
  int64_t take();
  // To be called once by each of `nth` threads, after its last turn: the last one makes all ready for another work.
  void leave(int nth);

 private:
  std::atomic<int64_t> next_{0};
  std::atomic<int> left_{0};
};

// Bytes that `prepare` writes for `n` tokens of `in` values; 0: this processor multiplies `x` as it is.
size_t prepared_size(int64_t n, int64_t in);
// Brings x into the form that the matrix units of this processor read. It depends on x alone: one prepared x serves
// every Linear that x goes into (query, key and value). To be complete before `Linear::run` starts, so it is a node of
// its own in a graph. `prepared` is aligned to 64 bytes.
void prepare(const float* x, int64_t n, int64_t in, int64_t x_stride, void* prepared, int ith, int nth);

struct LinearArgs {
  const float* x;  // n tokens of `in` values
  int64_t n;
  int64_t x_stride;
  const void* prepared;  // what `prepare` made of x; null where prepared_size is 0
  float* y;              // n tokens of `out` values
  int64_t y_stride;
  const float* bias;  // `out` values, or null
  Activation activation;
  const float* residual;  // n tokens of `out` values, or null
  int64_t residual_stride;
  bool residual_first;
};

// Whether a Linear of this size keeps a copy that its kernels read faster; the weight itself may then go.
bool lays_out(WeightType type, int64_t out, int64_t in);

// y = activation(x W^T + bias) + residual, or activation(x W^T + bias + residual) if residual_first.
class Linear {
 public:
  // `weight`: `out` rows of `in` values (PyTorch's Linear), or, transposed, `in` rows of `out` values (GPT-2's Conv1D).
  // Unless it lays_out, or is transposed, it is used where it lies and must outlive the object.
  Linear(const void* weight, WeightType type, int64_t out, int64_t in, bool transposed, int n_threads);
  ~Linear();
  Linear(const Linear&) = delete;
  Linear& operator=(const Linear&) = delete;

  // Bytes of its own.
  size_t memory() const { return packed_.size + rows_.size(); }
  // One computation at a time: its threads share the work as they come.
  void run(const LinearArgs& args, int ith, int nth) const;

 private:
  struct Memory {
    explicit Memory(size_t size);
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    void* data = nullptr;
    size_t size, alignment;
  };

  void pack(bool transposed, int n_threads);
  void lay_down_columns();

  const void* weight_;  // as the kernels read it
  WeightType type_;
  int64_t out_, in_;
  std::unique_ptr<Turns> turns_;
  Memory packed_;
  std::vector<char> rows_;
};

// Attention of packed rows of tokens. Query i sees the keys spans[3 * i] <= j < spans[3 * i + 1]; spans[3 * i + 2] is
// its own place (as `places` counts, used by relative_bias), or -1: equal weights over the span, as Python gives a row that
// is masked altogether. An empty span gives zeros. Head h lies at h * head_dim of a token; with grouped keys, head h
// reads the keys of head h / (heads / kv_heads).
struct AttentionArgs {
  const float* q;
  const float* k;
  const float* v;
  int64_t q_stride, k_stride, v_stride;
  int64_t n_q;
  int64_t heads, kv_heads, head_dim, value_dim;
  float scale;
  const int32_t* spans;
  const int32_t* cells;        // key j is row cells[j] of k and v (a paged cache); null: row j
  const int32_t* places;       // where key j stands in its text; null: at j
  const float* relative_bias;  // [heads, 2 * reach - 1]: entry place - own + reach - 1 is added to the scaled score, the
                               // nearest one beyond the ends; or null
  int64_t reach;
  // Added to the scaled scores; or null. Queries come in groups of mask_queries, one group for each row of a batch. The
  // strides are 0 where a mask repeats; the values for the keys of a span lie together.
  const float* mask;
  int64_t mask_queries, mask_batch_stride, mask_head_stride, mask_query_stride;
  float* y;  // n_q tokens of heads * value_dim values
  int64_t y_stride;
};

// Bytes that `attention` needs, aligned to 64.
size_t attention_scratch_size(const AttentionArgs& args, int nth);
// `turns`: the same for all threads, and for one computation at a time.
void attention(const AttentionArgs& args, void* scratch, Turns& turns, int ith, int nth);
// The weights themselves: probs [heads, n_q, width], where column j - spans[3 * i] is key j and the rest is zero.
// `width` is at least the longest span.
void attention_weights(const AttentionArgs& args, float* probs, int64_t width, int ith, int nth);

// Rows lie end to end. weight and bias may be null; the variance is the biased one, as in torch.
void layer_norm(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, const float* bias, float* y,
                int ith, int nth);
void rms_norm(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, float* y, int ith, int nth);
void activate(const float* x, int64_t n, Activation activation, float* y, int ith, int nth);

// Channels of one group are normalised together, over all places. Values of channel c of place p of row b lie at
// x[b * places * channels + p * place_stride + c * channel_stride], where one of the strides is 1; y likewise.
struct GroupNormArgs {
  const float* x;
  float* y;
  int64_t batch, places, channels, groups;
  int64_t place_stride, channel_stride;
  float eps;
  const float* weight;  // for each channel; or null
  const float* bias;    // likewise
};
void group_norm(const GroupNormArgs& args, int ith, int nth);

// Each value along an axis is made from a window of `size` values of x along it: copied, their weighted sum, or the
// largest. x is [outer, in, inner] and y [outer, out, inner]; indices and weights are [out, size]; an index of -1 is
// passed over, and gives `fill` where it is alone.
enum class Window { copy, sum, max };
struct WindowArgs {
  const float* x;
  float* y;
  int64_t outer, in, out, inner, size;
  Window kind;
  const int32_t* indices;
  const float* weights;
  float fill;
};
void windows(const WindowArgs& args, int ith, int nth);

// A convolution over [batch, height, width, channels], to the same with other sizes, end to end. Strides are in floats.
struct ConvolutionArgs {
  const float* x;
  int64_t batch, height, width, channels;
  int64_t batch_stride, row_stride, column_stride, channel_stride;  // one of the last two is 1
  int64_t out_height, out_width, out_channels, groups;
  struct Axis {
    int64_t kernel, stride, dilation, before;  // `before`: zeros that stand before the values
  } vertical, horizontal;
  // [out_channels, height, width, channels / groups] if channel_stride is 1, else, with one group only,
  // [out_channels, channels, height, width]. Of a channelwise one [height, width, channels / groups, out_channels].
  const float* weight;
  float* y;
  const float* bias;
  Activation activation;
  const float* residual;  // like y, or null
  bool residual_first;
};
// One group for each channel of input and output, or groups of few: computed channel by channel, not as a linear layer.
inline bool is_channelwise(const ConvolutionArgs& args) {
  if (args.groups == 1 || args.channels != args.out_channels) return false;
  const int64_t size = args.channels / args.groups;
  return size == 1 || ((size == 2 || size == 4 || size == 8) && args.channels % 16 == 0);
}
// Bytes that `convolution` needs, aligned to 64.
size_t convolution_scratch_size(const ConvolutionArgs& args, int nth);
void convolution(const ConvolutionArgs& args, void* scratch, int ith, int nth);

}  // namespace gt::graph::cpu
