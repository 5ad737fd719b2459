#include "graph/decoder.h"

#include "errors.h"

namespace gt::graph {

namespace {

[[noreturn]] void cannot_generate() { throw Error("unsupported", "this model does not generate"); }

}  // namespace

int32_t GraphDecoder::vocab_size() const { cannot_generate(); }
int32_t GraphDecoder::max_positions() const { cannot_generate(); }
bool GraphDecoder::reserve(int32_t, int32_t) { cannot_generate(); }
generation::Row GraphDecoder::open_row() { cannot_generate(); }
void GraphDecoder::close_row(generation::Row) { cannot_generate(); }
int32_t GraphDecoder::row_length(generation::Row) const { cannot_generate(); }
void GraphDecoder::copy_row(generation::Row, generation::Row, int32_t) { cannot_generate(); }
void GraphDecoder::truncate_row(generation::Row, int32_t) { cannot_generate(); }
void GraphDecoder::reorder_rows(const std::vector<generation::Row>&, const std::vector<generation::Row>&) { cannot_generate(); }
generation::DecodeStatus GraphDecoder::decode(const std::vector<generation::RowInput>&) { cannot_generate(); }
const float* GraphDecoder::logits(size_t, int32_t) const { cannot_generate(); }

}  // namespace gt::graph
