#include "graph/decoder.h"

#include <algorithm>

#include "errors.h"

namespace gt::graph {

using generation::DecodeStatus;
using generation::Row;
using generation::RowInput;

namespace {

constexpr int32_t max_rows = 4096;
constexpr int32_t rows_at_work = 256;  // of several requests: more of them wait

// While it lives, the backend heeds `flag`.
struct HeedInstead {
  Backend& backend;
  const std::atomic<bool>& before;

  HeedInstead(Backend& backend, const std::atomic<bool>& flag) : backend(backend), before(backend.heed(flag)) {}
  ~HeedInstead() { backend.heed(before); }
};

// Tokens whose keys and values the program stores in that cache; 0: none.
int64_t stored_tokens(const Program& program, const std::string& cache) {
  for (const Node& node : program.nodes)
    if (node.op == "cache_store" && node.text("cache") == cache) return program.nodes[static_cast<size_t>(node.inputs.at(0))].shape.at(0);
  return 0;
}

void require_tokens(const Program& program, const std::string& cache, size_t count) {
  if (stored_tokens(program, cache) != static_cast<int64_t>(count))
    throw RangeError("Expected " + std::to_string(stored_tokens(program, cache)) + " new tokens in the cache, as in the program, but received " +
                     std::to_string(count));
}

// Nothing beyond the keys may be read.
void check_spans(const Run& run, const std::string& input, size_t n_keys) {
  for (const auto& [name, bytes] : run.inputs) {
    if (name != input) continue;
    const auto* spans = reinterpret_cast<const int32_t*>(bytes.data());
    for (size_t i = 0; i + 2 < bytes.size() / sizeof(int32_t); i += 3)
      if (spans[i] < 0 || spans[i + 1] > static_cast<int32_t>(n_keys))
        throw RangeError("Expected " + input + " of " + std::to_string(n_keys) + " keys but received one from " + std::to_string(spans[i]) +
                         " to " + std::to_string(spans[i + 1]));
  }
}

}  // namespace

void GraphDecoder::set_programs(std::vector<DecodeProgram> programs, int32_t max_positions, bool counts_padding) {
  families_.clear();
  for (DecodeProgram& program : programs) {
    auto found = std::find_if(families_.begin(), families_.end(), [&](const Family& family) { return family.inputs == program.others; });
    if (found == families_.end()) found = families_.insert(families_.end(), Family{program.others, {}});
    found->programs.push_back(std::move(program));
  }
  std::stable_sort(families_.begin(), families_.end(), [](const Family& a, const Family& b) { return a.inputs.size() < b.inputs.size(); });
  max_positions_ = max_positions;
  counts_padding_ = counts_padding;
}

// -- rows

GraphDecoder::Memory::~Memory() {
  for (const int32_t cell : cells) cache.give_back(cell);
}

int32_t GraphDecoder::vocab_size() const {
  if (families_.empty()) throw Error("unsupported", "this model does not generate");
  return families_[0].programs[0].vocab_size;
}

int32_t GraphDecoder::max_positions() const { return max_positions_; }

bool GraphDecoder::reserve(int32_t rows, int32_t length) {
  if (length > max_positions_)
    throw RangeError("Expected at most " + std::to_string(max_positions_) + " tokens in a row but received " + std::to_string(length));
  if (rows > max_rows)
    throw RangeError("Expected at most " + std::to_string(max_rows) + " rows at a time but received " + std::to_string(rows));
  const auto open = std::count_if(rows_.begin(), rows_.end(), [](const RowState& row) { return row.open; });
  return open == 0 || open + rows <= rows_at_work;
}

Row GraphDecoder::open_row() {
  auto free = std::find_if(rows_.begin(), rows_.end(), [](const RowState& row) { return !row.open; });
  if (free == rows_.end()) free = rows_.emplace(rows_.end());
  free->open = true;
  return static_cast<Row>(free - rows_.begin());
}

void GraphDecoder::close_row(Row row) {
  truncate_row(row, 0);
  rows_[static_cast<size_t>(row)] = RowState{};
}

void GraphDecoder::truncate_row(Row row, int32_t length) {
  Cells& held = cells(row);
  while (static_cast<int32_t>(held.size()) > length) {
    runner_.cache().give_back(held.back());
    held.pop_back();
  }
}

void GraphDecoder::copy_row(Row from, Row to, int32_t length) {
  if (from != to) {
    for (const int32_t cell : cells(from)) runner_.cache().share(cell);
    truncate_row(to, 0);
    cells(to) = cells(from);
    rows_[static_cast<size_t>(to)].hidden = rows_[static_cast<size_t>(from)].hidden;
    rows_[static_cast<size_t>(to)].memory = memory(from);
    rows_[static_cast<size_t>(to)].inputs = rows_[static_cast<size_t>(from)].inputs;
  }
  if (length >= 0) truncate_row(to, length);
}

void GraphDecoder::reorder_rows(const std::vector<Row>& rows, const std::vector<Row>& source) {
  std::vector<RowState> next(rows.size());
  for (size_t i = 0; i < rows.size(); i++) {
    if (rows[i] == source[i]) continue;
    next[i] = rows_[static_cast<size_t>(source[i])];
    for (const int32_t cell : next[i].cells) runner_.cache().share(cell);
  }
  for (size_t i = 0; i < rows.size(); i++) {
    if (rows[i] == source[i]) continue;
    truncate_row(rows[i], 0);
    rows_[static_cast<size_t>(rows[i])] = std::move(next[i]);
  }
}

int64_t GraphDecoder::token_size() const { return runner_.cache().cell_size(); }

int64_t GraphDecoder::cache_size(const generation::Cache& cache) const {
  int64_t cells = 0;
  const Memory* last = nullptr;
  for (const Row row : cache.rows) {
    const Memory* memory = this->memory(row).get();
    if (memory && memory != last) cells += static_cast<int64_t>(memory->cells.size());
    last = memory;
  }
  return Decoder::cache_size(cache) + cells * runner_.memory().cell_size();
}

// -- generate()

const GraphDecoder::Family& GraphDecoder::family(Row row) const {
  const generation::RowInputs& given = rows_[static_cast<size_t>(row)].inputs;
  const auto reads_all = [&](const Family& family) {
    return std::all_of(given.begin(), given.end(), [&](const auto& input) {
      return input.first == "position_ids" || std::count(family.inputs.begin(), family.inputs.end(), input.first) > 0;
    });
  };
  const auto found = std::find_if(families_.begin(), families_.end(), reads_all);
  if (found == families_.end()) throw Error("unsupported", "this model does not read all that the rows have beside their ids");
  return *found;
}

int32_t GraphDecoder::next_position(Row row) const {
  return row_length(row) + (counts_padding_ ? rows_[static_cast<size_t>(row)].hidden : 0);
}

void GraphDecoder::check(const std::vector<RowInput>& inputs) const {
  for (const RowInput& input : inputs) {
    if (next_position(input.row) + input.count > max_positions_)
      throw RangeError("Expected at most " + std::to_string(max_positions_) + " tokens in a row but received " +
                       std::to_string(next_position(input.row) + input.count));
    if (families_.at(0).programs[0].reads_memory && !memory(input.row)) throw Error("unsupported", "the decoder needs what the encoder said");
    for (int32_t i = 0; i < input.count; i++)
      if (input.tokens[i] < 0 || input.tokens[i] >= vocab_size())
        throw RangeError("Expected token ids from 0 to " + std::to_string(vocab_size() - 1) + " but received " + std::to_string(input.tokens[i]));
  }
}

void GraphDecoder::lay_out(const std::vector<RowInput>& inputs) {
  tokens_.clear();
  wanted_.clear();
  starts_.clear();
  lengths_.clear();
  for (const RowInput& input : inputs) {
    starts_.push_back(tokens_.size());
    lengths_.push_back(row_length(input.row));
    for (int32_t i = 0; i < input.count; i++) {
      tokens_.push_back({input.row, input.tokens[i], next_position(input.row) + i});
      wanted_.push_back(i + input.logits >= input.count);
    }
  }
  starts_.push_back(tokens_.size());
  logits_at_.assign(tokens_.size(), 0);
  n_logits_ = 0;
}

DecodeStatus GraphDecoder::decode(const std::vector<RowInput>& inputs) {
  check(inputs);
  lay_out(inputs);
  const auto roll_back = [&] {
    for (size_t i = 0; i < inputs.size(); i++) truncate_row(inputs[i].row, lengths_[i]);
  };
  const HeedInstead heed(runner_.backend(), aborted_);
  try {
    for (size_t first = 0; first < tokens_.size();) {
      const Family& family = this->family(tokens_[first].row);
      size_t end = first + 1;
      for (; end < tokens_.size(); end++)
        if (tokens_[end].row != tokens_[end - 1].row && &this->family(tokens_[end].row) != &family) break;
      const Piece piece = next_piece(family.programs, wanted_.data() + first, static_cast<int32_t>(end - first));
      if (piece.tokens == 0) throw Error("unsupported", "this model does not generate");
      compute(piece, family, first);
      first += static_cast<size_t>(piece.tokens);
    }
  } catch (const Error& error) {
    roll_back();
    if (error.code == "aborted") return DecodeStatus::aborted;
    if (error.code == "out_of_memory") return DecodeStatus::no_space;
    throw;
  } catch (...) {
    roll_back();
    throw;
  }
  return DecodeStatus::ok;
}

// Tokens `first` on. What the program computes beyond them sees nothing and goes nowhere.
void GraphDecoder::set_row_inputs(Row row, const generation::RowInputs& inputs) { rows_[static_cast<size_t>(row)].inputs = inputs; }

// What `name` is for a token, where its row says that.
int32_t GraphDecoder::row_input(const Token& token, const std::string& name, int32_t otherwise) const {
  const generation::RowInputs& inputs = rows_[static_cast<size_t>(token.row)].inputs;
  const auto found = inputs.find(name);
  if (found == inputs.end() || found->second.empty()) return otherwise;
  return found->second[std::min(static_cast<size_t>(token.position), found->second.size() - 1)];
}

void GraphDecoder::compute(const Piece& piece, const Family& family, size_t first) {
  const DecodeProgram& program = *piece.program;
  const auto size = static_cast<size_t>(program.tokens);
  Graph& graph = runner_.graph(program.id, *program.program);
  Cache& cache = runner_.cache();
  ids_.assign(size, 0);
  positions_.assign(size, 0);
  spans_.assign(3 * size, 0);
  outputs_.clear();
  memory_spans_.assign(3 * size, 0);
  cache.targets.assign(size, -1);
  cache.keys.clear();
  cache.places.clear();
  Cells& read = runner_.memory().keys;
  read.clear();
  const Memory* last = nullptr;  // whose cells are the end of `read`
  size_t begin = 0;  // of the row's keys
  for (size_t i = 0; i < static_cast<size_t>(piece.tokens); i++) {
    const Token& token = tokens_[first + i];
    Cells& row = cells(token.row);
    if (i == 0 || tokens_[first + i - 1].row != token.row) {
      begin = cache.keys.size();
      cache.keys.insert(cache.keys.end(), row.begin(), row.end());
    }
    row.push_back(cache.take());
    cache.keys.push_back(row.back());
    cache.targets[i] = row.back();
    ids_[i] = token.id;
    positions_[i] = row_input(token, "position_ids", token.position);
    const auto end = static_cast<int32_t>(cache.keys.size());
    spans_[3 * i] = static_cast<int32_t>(begin);
    spans_[3 * i + 1] = end;
    spans_[3 * i + 2] = end - 1;
    if (const Memory* memory = this->memory(token.row).get()) {
      if (memory != last) read.insert(read.end(), memory->cells.begin(), memory->cells.end());
      last = memory;
      memory_spans_[3 * i] = static_cast<int32_t>(read.size() - memory->cells.size());
      memory_spans_[3 * i + 1] = static_cast<int32_t>(read.size());
      memory_spans_[3 * i + 2] = memory->blind ? -1 : 0;
    }
    if (!wanted_[first + i]) continue;
    const size_t place = program.picks_outputs ? outputs_.size() : i;
    logits_at_[first + i] = n_logits_ + place * static_cast<size_t>(program.vocab_size);
    outputs_.push_back(static_cast<int32_t>(i));
  }
  outputs_.resize(static_cast<size_t>(program.outputs), 0);
  const auto set = [&graph](const std::string& name, const std::vector<int32_t>& values) {
    graph.set_input(name, values.data(), values.size() * sizeof(int32_t));
  };
  set("input_ids", ids_);
  set("position_ids", positions_);
  set("spans", spans_);
  set("memory_spans", memory_spans_);
  if (program.picks_outputs) set("outputs", outputs_);
  for (const std::string& name : family.inputs) {
    others_.assign(size, 0);
    for (size_t i = 0; i < static_cast<size_t>(piece.tokens); i++) others_[i] = row_input(tokens_[first + i], name, 0);
    set(name, others_);
  }
  graph.compute();
  const size_t made = static_cast<size_t>(program.outputs) * static_cast<size_t>(program.vocab_size);
  if (logits_.size() < n_logits_ + made) logits_.resize(n_logits_ + made);
  graph.get_output("logits", logits_.data() + n_logits_, made);
  n_logits_ += made;
}

const float* GraphDecoder::logits(size_t input, int32_t token) const {
  return logits_.data() + logits_at_[token < 0 ? starts_[input + 1] - 1 : starts_[input] + static_cast<size_t>(token)];
}

// -- forward()

std::shared_ptr<generation::Cache> GraphDecoder::run(uint32_t id, const Program& program, const CachedRun& run) {
  std::vector<Row> rows;
  if (run.cache) rows = run.cache->rows;
  else
    for (size_t i = 0; i < run.visible.size(); i++) rows.push_back(open_row());
  Cells fresh;  // in the order of the new tokens
  std::vector<std::shared_ptr<const Memory>> memories;
  try {
    store(run, rows, fresh);
    require_tokens(program, "tokens", fresh.size());
    check_spans(run.run, "spans", runner_.cache().keys.size());
    memories = store_memory(run, rows);
    require_tokens(program, "memory", runner_.memory().targets.size());
    check_spans(run.run, "memory_spans", runner_.memory().keys.size());
    runner_.run(id, program, run.run);
  } catch (...) {
    for (const int32_t cell : fresh) runner_.cache().give_back(cell);
    if (!run.cache)
      for (const Row row : rows) close_row(row);
    throw;
  }
  size_t next = 0;
  for (size_t i = 0; i < rows.size(); i++) {
    for (int32_t n = 0; n < run.hidden[i]; n++) runner_.cache().give_back(fresh[next++]);
    for (int32_t n = 0; n < run.visible[i]; n++) cells(rows[i]).push_back(fresh[next++]);
    rows_[static_cast<size_t>(rows[i])].hidden += run.hidden[i];
    rows_[static_cast<size_t>(rows[i])].memory = std::move(memories[i]);
  }
  return run.cache ? run.cache : std::make_shared<generation::Cache>(generation::Cache{rows});
}

// Cells for the new tokens, and the keys that they may see.
void GraphDecoder::store(const CachedRun& run, const std::vector<Row>& rows, Cells& fresh) {
  if (run.hidden.size() != rows.size() || run.visible.size() != rows.size())
    throw RangeError("Expected " + std::to_string(rows.size()) + " rows, as in the cache, but received " + std::to_string(run.visible.size()));
  Cache& cache = runner_.cache();
  cache.keys.clear();
  const auto take = [&](int32_t count) {
    for (int32_t n = 0; n < count; n++) {
      fresh.push_back(cache.take());
      cache.keys.push_back(fresh.back());
    }
  };
  for (size_t i = 0; i < rows.size(); i++) {
    take(run.hidden[i]);
    cache.keys.insert(cache.keys.end(), cells(rows[i]).begin(), cells(rows[i]).end());
    take(run.visible[i]);
  }
  cache.targets = fresh;
  if (!run.places.empty() && run.places.size() != cache.keys.size())
    throw RangeError("Expected places of " + std::to_string(cache.keys.size()) + " keys but received " + std::to_string(run.places.size()));
  cache.places = run.places;
}

// The memory of each row: what it has, or cells for what the program's encoder reads.
std::vector<std::shared_ptr<const GraphDecoder::Memory>> GraphDecoder::store_memory(const CachedRun& run, const std::vector<Row>& rows) {
  Cache& cache = runner_.memory();
  cache.keys.clear();
  cache.targets.clear();
  const bool reads = !run.memory_visible.empty();
  if (reads && (run.cache || run.memory_hidden.size() != rows.size() || run.memory_visible.size() != rows.size()))
    throw RangeError("Expected an encoder's tokens for " + std::to_string(rows.size()) + " new rows but received those of " +
                     std::to_string(run.memory_visible.size()));
  std::vector<std::shared_ptr<const Memory>> memories;
  for (size_t i = 0; i < rows.size(); i++) {
    memories.push_back(memory(rows[i]));
    if (reads) {
      auto made = std::make_shared<Memory>(cache);
      made->blind = run.memory_visible[i] == 0;
      if (!made->blind) cache.targets.insert(cache.targets.end(), static_cast<size_t>(run.memory_hidden[i]), -1);
      for (int32_t n = made->blind ? run.memory_hidden[i] : run.memory_visible[i]; n > 0; n--) {
        made->cells.push_back(cache.take());
        cache.targets.push_back(made->cells.back());
      }
      memories.back() = std::move(made);
    }
    if (memories.back()) cache.keys.insert(cache.keys.end(), memories.back()->cells.begin(), memories.back()->cells.end());
  }
  return memories;
}

}  // namespace gt::graph
