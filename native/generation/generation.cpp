#include "generation/generation.h"

#include <algorithm>

#include "errors.h"
#include "generation/grammar_processor.h"
#include "generation/math.h"

namespace gt::generation {

namespace {

// The tokens of a row that are no padding.
Ids unmasked(const Ids& ids, const std::vector<std::vector<uint8_t>>& masks, size_t row) {
  if (masks.empty()) return ids;
  Ids result;
  for (size_t i = 0; i < ids.size(); i++)
    if (masks[row][i]) result.push_back(ids[i]);
  return result;
}

// Beams are not: Python warns and goes on.
bool is_assisted(const Request& request) {
  return request.options.num_beams == 1 && (request.options.prompt_lookup_num_tokens > 0 || request.assistant);
}

}  // namespace

Generation::Generation(Request& request, Decoder& decoder)
    : request_(request),
      decoder_(decoder),
      vocab_size_(decoder.vocab_size()),
      given_(!request.first_logits.empty()),
      guided_(request.options.guidance_scale && *request.options.guidance_scale != 1) {
  check();
  GenerationOptions& options = request_.options;
  const size_t prompts = request_.input_ids.size();
  const auto wanted = static_cast<size_t>(options.num_beams > 1 ? options.num_beams : options.num_return_sequences);
  rows_ = prompts * wanted;
  // A cache of all rows is continued by each of them.
  copies_ = request_.cache && request_.cache->rows.size() == rows_ ? 1 : wanted;
  for (size_t row = 0; row < rows_; row++) ids_.push_back(request_.input_ids[row / wanted]);
  lanes_.resize(rows_ * (guided_ ? 2 : 1));

  prepare_prompts(wanted);

  const bool observed = options.output_scores || options.output_logits || options.output_states ||
                        (request_.hooks && (request_.hooks->has_logits_processor || request_.hooks->has_stopping_criteria));
  processors_ = std::make_unique<LogitsProcessorList>(options, ids_, vocab_size_, request_.hooks);
  if (is_assisted(request_)) {
    auto assisted = std::make_unique<AssistedSearch>(request_, *processors_, vocab_size_);
    assisted_ = assisted.get();
    search_ = std::move(assisted);
    // Logits that came with the request follow the prompt: nothing can be fed beside them.
    ahead_ = given_;
    if (given_) assisted_->begin(ids_[0].size(), {});
  } else {
    search_ = make_search(request_, observed);
  }
  plain_ = processors_->empty() && !guided_ && !observed && !search_->wants_log_probabilities();
}

// What the lanes are to be fed, and how long their rows may become.
void Generation::prepare_prompts(size_t wanted) {
  GenerationOptions& options = request_.options;
  const auto length = static_cast<int32_t>(ids_[0].size());
  int32_t seen = 0;  // tokens of the longest row that are no padding
  for (size_t row = 0; row < rows_; row += copies_) {
    const Ids tokens = unmasked(ids_[row], request_.attention_mask, row / wanted);
    if (given_) {
      seen = std::max(seen, decoder_.row_length(request_.cache->rows[row / copies_]));
    } else {
      seen = std::max(seen, static_cast<int32_t>(tokens.size()));
      prepare(row / wanted, tokens, row);
    }
    if (!guided_) continue;
    const bool negative = !options.negative_prompt_ids.empty();
    const size_t index = negative ? (row / wanted) % options.negative_prompt_ids.size() : 0;
    const Ids prompt = negative ? unmasked(options.negative_prompt_ids[index], options.negative_prompt_attention_mask, index)
                                : Ids(tokens.end() - static_cast<std::ptrdiff_t>(!tokens.empty()), tokens.end());
    prepare(row / wanted, prompt, rows_ + row);
    longest_ = std::max(longest_, static_cast<int32_t>(prompt.size()) + options.max_length - length);
  }
  // No row can be longer than the engine's positions: it ends there. The last token is never fed.
  options.max_length = std::min(options.max_length, length + decoder_.max_positions() - seen + 1);
  longest_ = std::min(std::max(longest_, seen + options.max_length - length), decoder_.max_positions());
}

void Generation::check() const {
  const GenerationOptions& options = request_.options;
  const std::vector<Ids>& ids = request_.input_ids;
  if (ids.empty() || (ids[0].empty() && !given_)) throw TypeError("Expected input_ids with at least one token in each row");
  const auto rectangular = [&](const auto& rows) {
    return rows.size() == ids.size() &&
           std::all_of(rows.begin(), rows.end(), [&](const auto& row) { return row.size() == ids[0].size(); });
  };
  if (!rectangular(ids)) throw TypeError("Expected input_ids with rows of one length");
  if (!request_.attention_mask.empty() && !rectangular(request_.attention_mask))
    throw TypeError("Expected an attention_mask of the shape of input_ids");
  const auto length = static_cast<int32_t>(ids[0].size());
  if (options.max_length <= length)
    throw RangeError("Input length of input_ids is " + std::to_string(length) + ", but `max_length` is set to " +
                     std::to_string(options.max_length) +
                     ". This can lead to unexpected behavior. You should consider increasing `max_length` or, better yet, "
                     "setting `max_new_tokens`.");
  if (options.num_beams < 1 || options.num_return_sequences < 1)
    throw RangeError("Expected num_beams and num_return_sequences of at least 1 but received " +
                     std::to_string(options.num_beams) + " and " + std::to_string(options.num_return_sequences));
  if (options.num_beams > 1 && options.num_return_sequences > options.num_beams)
    throw RangeError("`num_return_sequences` (" + std::to_string(options.num_return_sequences) +
                     ") has to be smaller or equal to `num_beams` (" + std::to_string(options.num_beams) + ").");
  if (options.num_beams == 1 && !options.do_sample && options.num_return_sequences > 1)
    throw TypeError("Greedy methods without beam search do not support `num_return_sequences` different than 1 (got " +
                    std::to_string(options.num_return_sequences) + ").");
  if (request_.cache) {
    const size_t cached = request_.cache->rows.size();
    const auto copies = static_cast<size_t>(std::max(options.num_beams, options.num_return_sequences));
    if (cached != ids.size() && cached != ids.size() * copies)
      throw TypeError("Expected past_key_values of " + std::to_string(ids.size()) + " rows but received " +
                      std::to_string(cached));
  }
  const auto is_one_each = [&](const std::vector<Ids>& rows) {
    return rows.size() == ids.size() && std::all_of(rows.begin(), rows.end(), [](const Ids& row) { return row.size() == 1; });
  };
  for (const auto& [name, values] : request_.row_inputs)
    if (!rectangular(values) && !(given_ && is_one_each(values))) throw TypeError("Expected " + name + " of the shape of input_ids");
  if (given_ && (!request_.cache || request_.first_logits.size() != ids.size() * static_cast<size_t>(vocab_size_)))
    throw TypeError("Expected first_logits of shape [" + std::to_string(ids.size()) + ", " + std::to_string(vocab_size_) +
                    "] together with past_key_values");
  if (is_assisted(request_)) {
    if (ids.size() > 1) throw TypeError("assisted generate is only supported for batch_size = 1");
    if (options.num_return_sequences > 1)
      throw TypeError("num_return_sequences has to be 1 when doing assisted generate, but is " +
                      std::to_string(options.num_return_sequences) + ".");
  }
  if (request_.guidance_cache && (!guided_ || request_.guidance_cache->rows.empty()))
    throw TypeError("Expected guidance_scale, and rows, for the cache of the negative prompt");
  const std::vector<Ids>& negative = options.negative_prompt_ids;
  for (size_t row = 0; row < options.negative_prompt_attention_mask.size(); row++)
    if (row >= negative.size() || options.negative_prompt_attention_mask[row].size() != negative[row].size())
      throw TypeError("Expected a negative_prompt_attention_mask of the shape of negative_prompt_ids");
}

// What a prompt's lane is to be fed.
void Generation::prepare(size_t prompt, const Ids& tokens, size_t lane) {
  if (tokens.empty())
    throw TypeError("Expected at least one token that is not padding in row " + std::to_string(prompt));
  if (static_cast<int32_t>(tokens.size()) > decoder_.max_positions())
    throw RangeError("Expected at most " + std::to_string(decoder_.max_positions()) + " tokens in a row but received " +
                     std::to_string(tokens.size()));
  for (int32_t token : tokens)
    if (token < 0 || token >= vocab_size_)
      throw RangeError("Expected token ids from 0 to " + std::to_string(vocab_size_ - 1) + " but received " +
                       std::to_string(token));
  lanes_[lane].pending = tokens;
}

bool Generation::start() {
  if (request_.cache && request_.cache->in_use)
    throw Error("cache_in_use", "past_key_values is in use by another call");
  if (!decoder_.reserve(static_cast<int32_t>(lanes_.size()), longest_)) return false;
  started_ = true;
  if (request_.cache) {
    Cache& cache = *request_.cache;
    if (request_.cache_length >= 0)
      for (Row row : cache.rows) decoder_.truncate_row(row, request_.cache_length);
    for (Row row : cache.rows) cached_lengths_.push_back(decoder_.row_length(row));
    cache.in_use = true;
    for (size_t i = 0; i < cache.rows.size(); i++) {
      Lane& lane = lanes_[i * copies_];
      lane.row = cache.rows[i];
      if (given_) continue;
      lane.fed = static_cast<size_t>(cached_lengths_[i]);
      if (lane.fed >= lane.pending.size())
        throw RangeError("Expected input_ids to go on after the " + std::to_string(lane.fed) +
                         " tokens of past_key_values but received " + std::to_string(lane.pending.size()) + " tokens");
    }
  }
  for (Lane& lane : lanes_)
    if (lane.row < 0) lane.row = decoder_.open_row();
  if (const Cache* guidance = request_.guidance_cache.get())
    for (size_t row = 0; row < rows_; row += copies_)
      decoder_.copy_row(guidance->rows.at(row * request_.input_ids.size() / rows_ % guidance->rows.size()), lanes_[rows_ + row].row);
  for (size_t row = 0; row < rows_ && !request_.row_inputs.empty(); row += copies_) {
    RowInputs inputs;
    const size_t prompt = row * request_.input_ids.size() / rows_;
    for (const auto& [name, values] : request_.row_inputs) inputs[name] = unmasked(values.at(prompt), request_.attention_mask, prompt);
    decoder_.set_row_inputs(lanes_[row].row, inputs);
  }
  return true;
}

bool Generation::look_ahead() {
  if (!assisted_) return true;
  if (!ahead_) {
    if (const Ids* candidates = assisted_->candidates(ids_[0])) {
      ahead_ = true;
      for (Lane& lane : lanes_) {
        lane.pending.insert(lane.pending.end(), candidates->begin(), candidates->end());
        lane.tail = 1 + candidates->size();
      }
    }
  }
  return ahead_ || std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.pending.size() > lane.fed + lane.tail; });
}

// What gets logits waits until all that is pending fits: the rows of a request step together.
int32_t Generation::add_inputs(std::vector<RowInput>& batch, int32_t budget) {
  int32_t pending = 0, waiting = 0;
  for (const Lane& lane : lanes_) {
    const size_t left = lane.pending.size() - lane.fed;
    pending += static_cast<int32_t>(left);
    waiting += static_cast<int32_t>(std::min(left, lane.tail));
  }
  complete_ = ahead_ && (pending <= budget || pending == waiting);
  int32_t added = 0;
  for (Lane& lane : lanes_) {
    const auto left = static_cast<int32_t>(lane.pending.size() - lane.fed);
    const auto tail = static_cast<int32_t>(lane.tail);
    const int32_t count = complete_ ? left : std::min(std::max(left - tail, 0), budget - added);
    lane.chunk = static_cast<size_t>(count);
    if (count == 0) continue;
    batch.push_back({lane.row, lane.pending.data() + lane.fed, count, complete_ ? std::min(tail, count) : 1});
    added += count;
  }
  return added;
}

void Generation::advance(size_t first) {
  for (Lane& lane : lanes_) {
    if (lane.chunk == 0) continue;
    lane.input = first++;
    lane.fed += lane.chunk;
  }
  if (!complete_) return;
  const size_t before = ids_[0].size();
  std::vector<int32_t> sources;
  size_t place = 0;
  do {
    score(place++);
    if (!spread_) spread();
    sources = search_->step(ids_, score_rows_);
  } while (search_->foreseen());
  given_ = false;
  if (!sources.empty()) {
    if (request_.options.output_states) record(sources);
    for (size_t offset = 0; offset < lanes_.size(); offset += rows_) {
      std::vector<Row> rows, from;
      for (size_t row = 0; row < rows_; row++) {
        rows.push_back(lanes_[offset + row].row);
        from.push_back(lanes_[offset + static_cast<size_t>(sources[row])].row);
      }
      decoder_.reorder_rows(rows, from);
    }
  }
  for (size_t i = 0; i < lanes_.size(); i++) {
    Lane& lane = lanes_[i];
    const size_t row = i % rows_;
    // Of the candidates those stay that were right, but for the last token, which is fed next.
    if (lane.tail > place) decoder_.truncate_row(lane.row, decoder_.row_length(lane.row) - static_cast<int32_t>(lane.tail - place));
    lane.pending.clear();
    lane.tail = 1;
    lane.fed = 0;
    if (!search_->over(row)) lane.pending.push_back(i < rows_ ? ids_[row].back() : request_.options.guidance_token.value_or(ids_[row].back()));
    else if (!request_.keep_cache && !request_.cache) close(lane);
  }
  if (request_.on_tokens && request_.options.num_beams == 1) {
    std::vector<int32_t> tokens, rows;
    for (size_t at = before; at < ids_[0].size(); at++)
      for (size_t row = 0; row < rows_; row++) {
        tokens.push_back(ids_[row][at]);
        rows.push_back(static_cast<int32_t>(row));
      }
    request_.on_tokens(tokens.data(), rows.data(), tokens.size());
  }
  ahead_ = !assisted_;
}

// After the token at `place` of the tail.
const float* Generation::logits(size_t lane, size_t place) const {
  if (given_ && lane < rows_) return request_.first_logits.data() + lane * request_.input_ids.size() / rows_ * static_cast<size_t>(vocab_size_);
  const Lane& fed = lanes_[spread_ ? lane : lane - lane % copies_];
  return decoder_.logits(fed.input, static_cast<int32_t>(fed.chunk - fed.tail + place));
}

// The scores of all rows that are not over, processed.
void Generation::score(size_t place) {
  const auto vocab = static_cast<size_t>(vocab_size_);
  size_t live = 0;
  for (size_t row = 0; row < rows_; row++) live += !search_->over(row);
  score_rows_.resize(live);
  if (!plain_) scores_.resize(live * vocab);
  if (request_.options.output_logits) result_.logits.emplace_back();
  size_t i = 0;
  for (size_t row = 0; row < rows_; row++) {
    if (search_->over(row)) continue;
    const float* raw = logits(row, place);
    ScoresRow& target = score_rows_[i];
    target.row = static_cast<int32_t>(row);
    target.ids = &ids_[row];
    target.vocab_size = vocab_size_;
    target.narrowed = false;
    if (request_.options.output_logits) result_.logits.back().insert(result_.logits.back().end(), raw, raw + vocab);
    // Without processors nothing writes into the scores.
    target.scores = plain_ ? const_cast<float*>(raw) : scores_.data() + i * vocab;
    i++;
    if (plain_) continue;
    if (search_->wants_log_probabilities()) log_softmax(raw, vocab_size_, target.scores);
    else std::copy(raw, raw + vocab, target.scores);
    if (guided_) guide(target.scores, logits(rows_ + row, place), vocab_size_, *request_.options.guidance_scale);
  }
  processors_->process(score_rows_);
  if (request_.options.output_scores) result_.scores.push_back(scores_);
}

// What ran at this step, for those who compute its states afterwards.
void Generation::record(const std::vector<int32_t>& sources) {
  Ids tokens;
  for (const Ids& row : ids_) tokens.push_back(row.back());
  result_.running_tokens.push_back(std::move(tokens));
  result_.running_sources.push_back(sources);
}

void Generation::spread() {
  for (size_t i = 0; i < lanes_.size(); i++)
    if (i % copies_ != 0) decoder_.copy_row(lanes_[i - i % copies_].row, lanes_[i].row);
  spread_ = true;
}

void Generation::close(Lane& lane) {
  if (lane.row >= 0) decoder_.close_row(lane.row);
  lane.row = -1;
}

Result Generation::finish() {
  search_->fill(result_, std::move(ids_));
  if (request_.options.num_beams > 1) {
    try {
      check_sequences(request_.options, request_.input_ids[0].size(), result_.sequences);
    } catch (...) {
      abandon();
      throw;
    }
  }
  if (request_.keep_cache || request_.cache) {
    std::vector<Row> rows;
    for (size_t row = 0; row < rows_; row++) {
      rows.push_back(lanes_[row].row);
      if (!request_.row_inputs.empty()) decoder_.set_row_inputs(rows.back(), {});
      result_.cache_lengths.push_back(decoder_.row_length(rows.back()));
      lanes_[row].row = -1;
    }
    if (request_.cache) request_.cache->in_use = false;
    result_.cache = request_.cache ? request_.cache : std::make_shared<Cache>();
    result_.cache->rows = std::move(rows);
    result_.cache_size = decoder_.cache_size(*result_.cache);
  }
  for (Lane& lane : lanes_) close(lane);
  return std::move(result_);
}

void Generation::abandon() {
  if (!started_) return;
  if (request_.cache) {
    const std::vector<Row>& cached = request_.cache->rows;
    for (size_t i = 0; i < cached.size(); i++) {
      decoder_.truncate_row(cached[i], cached_lengths_[i]);
      lanes_[i * copies_].row = -1;
    }
    request_.cache->in_use = false;
  }
  for (Lane& lane : lanes_) close(lane);
}

}  // namespace gt::generation
